-- What the server cannot do by itself for a fixup: show it as a diff, and ask the person for a note.

local M = {}

--- Sends a command of an action to the server, and tells when it does not do it.
local function send(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  require('rubricator.client').request(client, 'workspace/executeCommand', {
    command = command.command,
    arguments = command.arguments,
  }, function(failure, result)
    if failure then
      vim.notify('rubricator: ' .. failure.message, vim.log.levels.ERROR)
    elseif type(result) == 'table' and result.accepted == false then
      vim.notify('rubricator: ' .. tostring(result.reason), vim.log.levels.WARN)
    end
  end, context.bufnr)
end

--- A scratch buffer with the replies of one side.
local function side(replies, which, name)
  local lines = {}
  for _, reply in ipairs(replies) do
    if #replies > 1 then
      lines[#lines + 1] = ('— exchange %d —'):format(reply.exchange)
    end
    vim.list_extend(lines, vim.split(reply[which], '\n', { plain = true }))
  end
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].modifiable = false
  vim.b[buffer].rubricator_fixup = name
  return buffer
end

--- Shows a fixup as a diff, in a tab of its own; `:tabclose` closes it.
local function preview(command, context)
  local target = command.arguments[1]
  if not target.replies then
    send(command, context)
    return
  end
  vim.cmd('tab sbuffer ' .. side(target.replies, 'before', 'before'))
  vim.cmd('diffthis')
  vim.wo.winbar = ('%s: before'):format(target.transcript:gsub('%%', '%%%%'))
  vim.cmd('rightbelow vertical sbuffer ' .. side(target.replies, 'after', 'after'))
  vim.cmd('diffthis')
  vim.wo.winbar = target.evidence:gsub('%%', '%%%%')
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    vim.wo[window].wrap = true
  end
end

--- Asks for the note that a command wants, then sends it.
local function draft(command, context)
  local target = command.arguments[1]
  if target.ask ~= 'note' then
    send(command, context)
    return
  end
  vim.ui.input({ prompt = 'What should the rewrite do otherwise? ' }, function(note)
    if note and vim.trim(note) ~= '' then
      local with = vim.tbl_extend('force', target, { note = note })
      send({ command = command.command, arguments = { with } }, context)
    end
  end)
end

--- Commands of code actions that go by us on their way to the server.
M.commands = {
  ['rubricator.draftFixup'] = draft,
  ['rubricator.discardFixup'] = send,
  ['rubricator.previewFixup'] = preview,
}

return M
