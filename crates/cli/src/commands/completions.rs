//! `metsuke completions`: a script that teaches a shell the command line.
//!
//! Installing it is the user's business; the help says where.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Exit;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke completions bash > ~/.local/share/bash-completion/completions/metsuke
  metsuke completions zsh > ~/.zfunc/_metsuke
  metsuke completions fish > ~/.config/fish/completions/metsuke.fish")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Args {
    /// Prints the script.
    ///
    /// # Errors
    ///
    /// What writing to stdout met.
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "metsuke", &mut script);
        context.output.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
