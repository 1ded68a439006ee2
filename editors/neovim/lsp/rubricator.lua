-- The server, for `vim.lsp.enable('rubricator')` (Neovim 0.11 or later).
--
-- Every `.jsonl` and `.ndjson` file is attached, with or without a project. Of the formats the whole
-- world uses, only the project's own files are: see `lua/rubricator/files.lua`.
--
-- Change anything with `vim.lsp.config('rubricator', { ... })`.

---@type vim.lsp.Config
return {
  cmd = { 'rubricator', 'lsp' },
  filetypes = { 'jsonl', 'json', 'yaml', 'toml' },
  root_markers = { 'rubricator.toml', '.git' },
  root_dir = function(buffer, start)
    local files = require('rubricator.files')
    if files.wanted(vim.api.nvim_buf_get_name(buffer)) then
      start(files.root(buffer))
    end
  end,
  capabilities = {
    -- 0.10 and 0.11 do not say so by themselves; `handlers` below does the refreshing.
    workspace = { codeLens = { refreshSupport = true } },
  },
  handlers = require('rubricator.handlers'),
}
