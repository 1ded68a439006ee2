-- The client calls whose form changed between Neovim 0.10 and 0.11.

local M = {}

local methods = vim.fn.has('nvim-0.11') == 1

--- True when the server can answer `method`.
function M.supports(client, method)
  if methods then
    return client:supports_method(method)
  end
  return client.supports_method(method)
end

--- Sends a request; `handler` gets the answer.
function M.request(client, method, params, handler, buffer)
  if methods then
    return client:request(method, params, handler, buffer)
  end
  return client.request(method, params, handler, buffer)
end

--- Goes to a location.
function M.show(client, location)
  if vim.lsp.util.show_document then
    vim.lsp.util.show_document(location, client.offset_encoding, { focus = true })
  else
    vim.lsp.util.jump_to_location(location, client.offset_encoding, true)
  end
end

return M
