" A record a line, each one JSON. Neovim knows the file type but had no colours for it.
if exists('b:current_syntax')
  finish
endif
runtime! syntax/json.vim
" Between records no comma is missing.
silent! syntax clear jsonMissingCommaError
let b:current_syntax = 'jsonl'
