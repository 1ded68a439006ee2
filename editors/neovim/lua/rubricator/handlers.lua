-- What the server says to the editor beyond the usual: its status, and that lenses are out of date.

local M = {}

--- `vim.g.rubricator_status` holds the last status, for a status line.
M['rubricator/status'] = function(_, status)
  vim.g.rubricator_status = status
  vim.api.nvim_exec_autocmds('User', { pattern = 'RubricatorStatus', modeline = false, data = status })
  vim.cmd.redrawstatus()
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
