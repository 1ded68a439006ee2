-- Review by keyboard: what a person says is a code action of the server's, found by the beginning of its title.
-- What an action wants to know (`ask`) is asked for here, a text or one of its `choices`, and sent along.

local M = {}

local kind = 'source.rubricator.review'

--- Sends a command of the server; a refusal is told.
---@param client vim.lsp.Client
---@param buffer integer
---@param command string
---@param target table
---@param done? fun(answer: table)
function M.send(client, buffer, command, target, done)
  require('rubricator.client').request(client, 'workspace/executeCommand', {
    command = command,
    arguments = { target },
  }, function(failure, answer)
    if failure then
      vim.notify('rubricator: ' .. failure.message, vim.log.levels.ERROR)
    elseif type(answer) == 'table' and answer.accepted == false then
      vim.notify('rubricator: ' .. tostring(answer.reason), vim.log.levels.WARN)
    elseif done and type(answer) == 'table' then
      done(answer)
    end
  end, buffer)
end

--- Runs a command of a code action or lens: asks for what it wants to know first.
function M.run(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local target = (command.arguments or {})[1] or {}
  local ask = target.ask
  if not ask or target[ask] then
    return M.send(client, context.bufnr, command.command, target)
  end
  local about = target.criterion and (' (' .. target.criterion .. ')') or ''
  local function answered(text)
    if text and text ~= '' then
      M.send(client, context.bufnr, command.command, vim.tbl_extend('force', target, { [ask] = text }))
    end
  end
  if target.choices then
    vim.ui.select(target.choices, { prompt = 'Which ' .. ask .. '?' }, answered)
  else
    vim.ui.input({ prompt = 'Your ' .. ask .. about .. ': ' }, answered)
  end
end

--- Runs the review action at the cursor whose title starts so; of several, the person chooses.
---@param title string
function M.press(title)
  vim.lsp.buf.code_action({
    context = { only = { kind }, diagnostics = {} },
    filter = function(action)
      return vim.startswith(action.title, title)
    end,
    apply = true,
  })
end

--- Goes to the place whose reading tells most.
function M.next(client, buffer)
  M.send(client, buffer, 'rubricator.review', { uri = vim.uri_from_bufnr(buffer), say = 'next' }, function(answer)
    if answer.location and not answer.shown then
      require('rubricator.client').show(client, answer.location)
    end
    vim.api.nvim_echo({ { answer.message or '' } }, false, {})
  end)
end

--- The commands of a buffer, and what each does.
function M.commands(client, buffer)
  local function pressing(title)
    return function()
      M.press(title)
    end
  end
  return {
    LspRubricatorNext = function()
      M.next(client, buffer)
    end,
    LspRubricatorReview = pressing(''),
    LspRubricatorAccept = pressing('Accept'),
    LspRubricatorReject = pressing('Reject'),
    LspRubricatorRight = pressing('Judge is right'),
    LspRubricatorWrong = pressing('Judge is wrong'),
    LspRubricatorNote = pressing('Note on'),
    LspRubricatorMissing = pressing('Note a missing criterion'),
    LspRubricatorExample = pressing('Use as calibration example'),
    LspRubricatorSatisfactory = pressing('Declare batch'),
  }
end

return M
