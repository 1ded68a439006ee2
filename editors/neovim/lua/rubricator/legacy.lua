-- Neovim 0.10: no `vim.lsp.enable`, so the server is started by file type.

local M = {}

--- The configuration `vim.lsp.enable` would have used.
function M.config()
  local path = vim.api.nvim_get_runtime_file('lsp/rubricator.lua', false)[1]
  return dofile(path)
end

--- Starts the server in the files it is for.
function M.enable()
  local config = M.config()
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('rubricator.legacy', {}),
    pattern = config.filetypes,
    callback = function(event)
      config.root_dir(event.buf, function(root)
        vim.lsp.start({
          name = 'rubricator',
          cmd = config.cmd,
          root_dir = root,
          capabilities = vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), config.capabilities),
          handlers = config.handlers,
        }, { bufnr = event.buf })
      end)
    end,
  })
end

return M
