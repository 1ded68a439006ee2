-- `:checkhealth rubricator`

local M = {}

function M.check()
  local health = vim.health
  health.start('rubricator')

  if vim.fn.has('nvim-0.11') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  elseif vim.fn.has('nvim-0.10') == 1 then
    health.warn('Neovim 0.10 works, without vim.lsp.config and vim.lsp.enable', 'Use 0.11 or later.')
  else
    health.error('Neovim is too old', 'Use 0.10 or later; 0.11 is best.')
    return
  end

  local config = vim.lsp.config and vim.lsp.config.rubricator or require('rubricator.legacy').config()
  local command = type(config.cmd) == 'table' and config.cmd[1] or 'rubricator'
  if vim.fn.executable(command) == 1 then
    local version = vim.fn.system({ command, '--version' })
    health.ok(vim.fn.exepath(command) .. ': ' .. vim.trim(version))
  else
    health.error(command .. ' is not on the PATH', {
      'cargo install --path . --locked',
      "or say where it is: vim.lsp.config('rubricator', { cmd = { '/path/to/rubricator', 'lsp' } })",
    })
  end

  local clients = vim.lsp.get_clients({ name = 'rubricator' })
  if #clients == 0 then
    health.info('Not running. It starts with the first .jsonl file, rubric or rubricator.toml.')
  end
  for _, client in ipairs(clients) do
    health.ok(('running, root %s, %d buffers'):format(client.root_dir or '(none)', vim.tbl_count(client.attached_buffers)))
  end
end

return M
