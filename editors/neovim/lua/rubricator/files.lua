-- Which files the server is for, and where their project is. Nothing here starts anything.

local M = {}

--- The folder of the nearest `rubricator.toml` above a path.
---@param path string
---@return string?
function M.project(path)
  return vim.fs.root(path, 'rubricator.toml')
end

--- The folder the server is started in: the project's, else the repository's, else none.
---@param buffer integer
---@return string?
function M.root(buffer)
  return vim.fs.root(buffer, 'rubricator.toml') or vim.fs.root(buffer, '.git')
end

--- True for transcripts, rubrics and settings.
---
--- Records a line are transcripts wherever they are. JSON and YAML are many things, so they must be
--- in a project, or carry the rubric's name.
---@param path string
---@return boolean
function M.wanted(path)
  local name = vim.fs.basename(path)
  if name:match('%.jsonl$') or name:match('%.ndjson$') or name == 'rubricator.toml' then
    return true
  end
  if name:match('%.ya?ml$') then
    return name:match('rubric') ~= nil or M.in_folder(path, 'config')
  end
  return name:match('%.json$') ~= nil and M.in_folder(path, 'data')
end

--- True below that folder of the path's project.
---@param path string
---@param folder string
---@return boolean
function M.in_folder(path, folder)
  local project = M.project(path)
  return project ~= nil and vim.startswith(vim.fs.normalize(path), vim.fs.joinpath(project, folder) .. '/')
end

return M
