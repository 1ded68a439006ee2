-- The least a user would write: the plugin on the runtime path, and the server enabled.
vim.opt.runtimepath:prepend(vim.env.ROOT .. '/editors/neovim')
vim.opt.swapfile = false
vim.opt.signcolumn = 'yes'
vim.opt.linebreak = true
vim.opt.termguicolors = true
vim.o.winborder = 'rounded'
vim.diagnostic.config({ severity_sort = true })
vim.lsp.enable('rubricator')
