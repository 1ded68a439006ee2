//! Arguments → language server or command line; an error → an exit code.

fn main() {}
