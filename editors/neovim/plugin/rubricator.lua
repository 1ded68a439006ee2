-- Once the server is attached: lenses and inlay hints are shown, and commands act on the buffer.
-- The server itself is started by `vim.lsp.enable('rubricator')`, in the user's own configuration.

if vim.g.loaded_rubricator then
  return
end
vim.g.loaded_rubricator = true

--- Runs a command of the server on the whole file of a buffer.
local function execute(client, buffer, command)
  require('rubricator.review').send(client, buffer, command, { uri = vim.uri_from_bufnr(buffer) })
end

local commands = {
  LspRubricatorAssess = 'rubricator.assess',
  LspRubricatorAssessAll = 'rubricator.assessAll',
  LspRubricatorCancel = 'rubricator.cancel',
  LspRubricatorExplain = 'rubricator.explain',
  LspRubricatorGate = 'rubricator.gate',
  LspRubricatorAudit = 'rubricator.audit',
  LspRubricatorSlice = 'rubricator.slice',
  LspRubricatorGenerate = 'rubricator.generate',
}

for name, run in pairs(require('rubricator.fixup').commands) do
  vim.lsp.commands[name] = run
end
for _, name in ipairs({ 'rubricator.review', 'rubricator.critique' }) do
  vim.lsp.commands[name] = function(command, context)
    require('rubricator.review').run(command, context)
  end
end

local function on_attach(client, buffer)
  local supports = require('rubricator.client').supports
  if supports(client, 'textDocument/codeLens') then
    require('rubricator.lens').show(buffer)
  end
  if supports(client, 'textDocument/inlayHint') and vim.g.rubricator_inlay_hints ~= false then
    vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
  end
  for name, command in pairs(commands) do
    vim.api.nvim_buf_create_user_command(buffer, name, function()
      execute(client, buffer, command)
    end, { desc = command })
  end
  for name, act in pairs(require('rubricator.review').commands(client, buffer)) do
    vim.api.nvim_buf_create_user_command(buffer, name, act, { desc = 'Rubricator review' })
  end
end

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('rubricator', {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'rubricator' then
      on_attach(client, event.buf)
    end
  end,
})
