-- Code lenses, shown the way each Neovim can: 0.12 keeps them up to date by itself, 0.10 and 0.11
-- have to be asked again after every change.

local M = {}

--- True where Neovim refreshes lenses by itself.
local automatic = vim.lsp.codelens.enable ~= nil

--- Shows the lenses of a buffer, from now on.
---@param buffer integer
function M.show(buffer)
  if automatic then
    vim.lsp.codelens.enable(true, { bufnr = buffer })
    return
  end
  M.refresh(buffer)
  local group = vim.api.nvim_create_augroup('rubricator.lens.' .. buffer, {})
  -- DiagnosticChanged: an assessment changes findings and lenses together.
  vim.api.nvim_create_autocmd({ 'BufEnter', 'TextChanged', 'InsertLeave', 'BufWritePost', 'DiagnosticChanged' }, {
    group = group,
    buffer = buffer,
    callback = function()
      M.refresh(buffer)
    end,
  })
end

--- Asks for the lenses of a buffer again.
---@param buffer integer
function M.refresh(buffer)
  if not automatic and vim.api.nvim_buf_is_loaded(buffer) then
    vim.lsp.codelens.refresh({ bufnr = buffer })
  end
end

return M
