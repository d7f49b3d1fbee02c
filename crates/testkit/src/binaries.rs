//! Finds an installed PostgreSQL that is new enough, and the account it must run under.
//!
//! It starts nothing but `--version` and `id`.
//!
//! Invariant: all programs come from one folder, so client and server are of one version.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest major version that the store supports.
const OLDEST: u32 = 15;
const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// The account that Debian's package makes; the server refuses to run as root.
const SERVER_ACCOUNT: &str = "postgres";

pub(crate) const HINT: &str =
    "run `scripts/setup.sh test`, or install PostgreSQL 15 or newer (Debian: `apt-get install postgresql`)";

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    folder: PathBuf,
    as_root: bool,
}

impl Binaries {
    /// Looks in the folders of `PATH`, then where Debian puts its versions, newest first.
    pub(crate) fn find() -> Result<Binaries, String> {
        let mut folders: Vec<PathBuf> =
            std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        folders.extend(debian_folders(Path::new("/usr/lib/postgresql")));
        let found = folders.into_iter().find(|folder| is_complete(folder) && major(folder) >= Some(OLDEST));
        let folder = found.ok_or_else(|| format!("no PostgreSQL {OLDEST} or newer was found; {HINT}"))?;
        let as_root = user_id()? == 0;
        if as_root && output("id", ["-u", SERVER_ACCOUNT]).is_err() {
            return Err(format!(
                "root cannot run PostgreSQL, and there is no user `{SERVER_ACCOUNT}`; {HINT}"
            ));
        }
        Ok(Binaries { folder, as_root })
    }

    /// The path of one program.
    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// A command that runs under the server's account: our own, unless that is root.
    pub(crate) fn as_server(&self, program: impl AsRef<OsStr>) -> Command {
        if self.as_root {
            let mut command = Command::new("runuser");
            command.args(["-u", SERVER_ACCOUNT, "--"]).arg(program);
            command
        } else {
            Command::new(program)
        }
    }

    /// Gives a folder to the server's account.
    pub(crate) fn give_to_server(&self, folder: &Path) -> Result<(), String> {
        if self.as_root {
            run(Command::new("chown").arg(SERVER_ACCOUNT).arg(folder))?;
        }
        Ok(())
    }
}

/// The number of the user that this process runs as.
pub(crate) fn user_id() -> Result<u32, String> {
    output("id", ["-u"])?.trim().parse().map_err(|error| format!("`id -u` gave no number: {error}"))
}

/// Runs a command to its end; its stderr is the error.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let done =
        command.output().map_err(|error| format!("{} could not be started: {error}", name(command)))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        let text = [done.stdout, done.stderr].concat();
        Err(format!("{} failed: {}", name(command), String::from_utf8_lossy(&text).trim()))
    }
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn output<const N: usize>(program: &str, args: [&str; N]) -> Result<String, String> {
    run(Command::new(program).args(args))
}

fn debian_folders(base: &Path) -> Vec<PathBuf> {
    let versions = std::fs::read_dir(base).into_iter().flatten().flatten();
    let numbered =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let mut found: Vec<(u32, PathBuf)> = numbered.collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path.join("bin")).collect()
}

fn is_complete(folder: &Path) -> bool {
    PROGRAMS.iter().all(|program| folder.join(program).exists())
}

fn major(folder: &Path) -> Option<u32> {
    parse_major(&run(Command::new(folder.join("postgres")).arg("--version")).ok()?)
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)`.
fn parse_major(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_releases_and_betas() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(parse_major("something else"), None);
    }
}
