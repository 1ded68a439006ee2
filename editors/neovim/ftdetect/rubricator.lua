-- Records a line. `.jsonl` is known to Neovim since 0.9; `.ndjson` is the same thing.
vim.filetype.add({ extension = { jsonl = 'jsonl', ndjson = 'jsonl' } })
pcall(vim.treesitter.language.register, 'json', 'jsonl')
