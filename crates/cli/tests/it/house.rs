//! One simulated Heroku, one folder, and the program between them.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use metsuke_simulator::{Options, Simulator, Size};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// A place to run the program in.
pub(crate) struct House {
    pub(crate) heroku: Simulator,
    pub(crate) folder: TempDir,
}

/// What the program did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl House {
    pub(crate) async fn new(options: Options) -> Self {
        Self { heroku: Simulator::local(options).await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn of(size: Size) -> Self {
        Self::new(Options::of(size).seed(3)).await
    }

    /// A house whose estate was synced once.
    pub(crate) async fn synced(size: Size) -> Self {
        let house = Self::of(size).await;
        let ran = house.run(&["sync", "--quiet"]).await;
        assert!([0, 4].contains(&ran.code), "{ran:?}");
        house
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("metsuke.db")
    }

    /// The program with these arguments, ready to be changed and started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(&self.folder, arguments);
        command.env("METSUKE_HEROKU_URL", self.heroku.url()).env("METSUKE_HEROKU_TOKEN", self.heroku.token());
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments)).await
    }

    /// Runs it with `--format json` and reads the document.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[&["--format", "json"], arguments].concat()).await;
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Runs it with `--format jsonl` and reads the lines.
    pub(crate) async fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = self.run(&[&["--format", "jsonl"], arguments].concat()).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The program in a folder, with nothing in its environment.
pub(crate) fn bare(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metsuke"));
    command.args(arguments).env_clear().current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub(crate) async fn run(mut command: Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// The lines of a text that begin with a word.
pub(crate) fn starting<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(word)).collect()
}
