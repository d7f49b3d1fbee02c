//! One simulated Heroku, one folder, and the program between them.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use metsuke_baton::c1z::{C1z, ReadOptions, Row, Rows as _};
use metsuke_baton::proto::connector::{Grant, ResourceId};
use metsuke_simulator::{Options, Simulator, Size};
use tempfile::TempDir;
use tokio::process::Command;

/// A company of which everything is read in a moment.
pub(crate) const COMPANY: Size = Size::Company { teams: 6, people: 60, apps: 40 };

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
    pub(crate) async fn of(size: Size) -> Self {
        Self::new(Options::of(size).seed(3)).await
    }

    pub(crate) async fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        Self { heroku: Simulator::local(options).await.unwrap(), folder }
    }

    /// The program with these arguments, ready to be changed and started; its temporary files are in the house.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.folder.path(), arguments);
        command
            .env("METSUKE_HEROKU_URL", self.heroku.url())
            .env("BATON_API_TOKEN", self.heroku.token())
            .env("BATON_TMPDIR", self.temporary());
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments)).await
    }

    /// Runs it, which has to go well.
    pub(crate) async fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{arguments:?}: {ran:?}");
        ran
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// Whether nothing was left in the folder for temporary files.
    pub(crate) fn is_tidy(&self) -> bool {
        std::fs::read_dir(self.temporary()).unwrap().next().is_none()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The rows of the newest sync of a file.
    pub(crate) fn rows(&self, name: &str) -> Vec<Row> {
        let file = open(&self.file(name));
        let sync = file.syncs().iter().max_by_key(|run| run.ended_at).unwrap().id.clone();
        let mut rows: Vec<Row> = Vec::new();
        file.rows(&sync).visit(&mut rows).unwrap();
        rows
    }

    /// The grants of the newest sync of a file.
    pub(crate) fn grants(&self, name: &str) -> Vec<Grant> {
        let grants = self.rows(name).into_iter().filter_map(|row| match row {
            Row::Grant(grant) => Some(*grant),
            _ => None,
        });
        grants.collect()
    }

    /// The ids of the resources of a type in the newest sync of a file.
    pub(crate) fn resources(&self, name: &str, kind: &str) -> Vec<String> {
        let resources = self.rows(name).into_iter().filter_map(|row| match row {
            Row::Resource(resource) => resource.id,
            _ => None,
        });
        resources.filter(|id| id.resource_type == kind).map(|id| id.resource).collect()
    }
}

pub(crate) fn open(path: &Path) -> C1z {
    C1z::open(path, &ReadOptions::default()).unwrap()
}

pub(crate) fn principal(grant: &Grant) -> &ResourceId {
    grant.principal.as_ref().unwrap().id.as_ref().unwrap()
}

/// The program in a folder, with nothing in its environment.
pub(crate) fn bare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton-heroku"));
    command.args(arguments).env_clear().current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
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
