-- What the server says to the editor beyond the usual: its status, and that lenses are out of date.

local M = {}

--- `vim.g.rubricator_status` holds the last status, for a status line.
M['rubricator/status'] = function(_, status)
  vim.g.rubricator_status = status
  vim.api.nvim_exec_autocmds('User', { pattern = 'RubricatorStatus', modeline = false, data = status })
  vim.cmd.redrawstatus()
end

--- Neovim (0.10 to 0.12) asks for the hints again, but keeps the old ones on every line it happens to draw
--- before the answer is there. So the answer is fetched first, and the lines are drawn after that.
M['workspace/inlayHint/refresh'] = function(_, _, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  for buffer in pairs(client.attached_buffers) do
    if vim.lsp.inlay_hint.is_enabled({ bufnr = buffer }) then
      local whole = { start = { line = 0, character = 0 }, ['end'] = { line = vim.api.nvim_buf_line_count(buffer), character = 0 } }
      local wanted = { textDocument = { uri = vim.uri_from_bufnr(buffer) }, range = whole }
      require('rubricator.client').request(client, 'textDocument/inlayHint', wanted, function(failure, hints, answered)
        vim.lsp.handlers['textDocument/inlayHint'](failure, hints, answered)
        vim.lsp.handlers['workspace/inlayHint/refresh'](nil, nil, context)
      end, buffer)
    end
  end
  return vim.NIL
end

if vim.lsp.codelens.enable == nil then
  M['workspace/codeLens/refresh'] = function(_, _, context)
    for buffer in pairs(vim.lsp.get_client_by_id(context.client_id).attached_buffers) do
      require('rubricator.lens').refresh(buffer)
    end
    return vim.NIL
  end
end

return M
