//! One PostgreSQL server for all test processes of one target folder.
//!
//! It listens on a socket in a private folder only, keeps nothing safe (no fsync), and trusts whoever may
//! enter that folder. `scripts/stop-test-postgres.sh` stops it; forgotten, it stops itself when idle.
//!
//! Invariant: starting and stopping happen under the lock file, so a server is never started twice, and a
//! data folder whose server is gone is made anew rather than trusted.

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::binaries::{self, Binaries};

/// What the system allows for a socket's path is 107 bytes, and the file's own name takes 18.
const LONGEST_FOLDER: usize = 80;
const SETTINGS: &str = "
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
timezone = 'UTC'
log_timezone = 'UTC'
";
const WATCHDOG: &str = include_str!("watchdog.sh");

/// A running server.
#[derive(Debug)]
pub(crate) struct Cluster {
    binaries: Binaries,
    folder: PathBuf,
}

impl Cluster {
    /// Uses the server of this target folder, and starts it first if need be.
    pub(crate) fn join_or_start() -> Result<Cluster, String> {
        let binaries = Binaries::find()?;
        let target = target_folder();
        let user = binaries::user_id()?;
        let folder = folder_for(&std::env::temp_dir(), &target, user);
        let cluster = Cluster { binaries, folder };
        let context = |error: std::io::Error| format!("{} cannot be used: {error}", cluster.folder.display());

        let lock = cluster.lock(user)?;
        // The watchdog reads from this file's age when the last test came.
        lock.set_modified(std::time::SystemTime::now()).map_err(context)?;
        if cluster.sql("SELECT 1").is_err() {
            std::fs::write(cluster.folder.join("target"), target.display().to_string()).map_err(context)?;
            cluster.start()?;
            cluster.watch()?;
        }
        Ok(cluster)
    }

    /// Enters the folder, alone until the answer is dropped.
    fn lock(&self, user: u32) -> Result<File, String> {
        let context = |error: std::io::Error| format!("{} cannot be used: {error}", self.folder.display());
        loop {
            std::fs::DirBuilder::new().recursive(true).mode(0o755).create(&self.folder).map_err(context)?;
            let folder = std::fs::symlink_metadata(&self.folder).map_err(context)?;
            if !folder.is_dir() || folder.uid() != user {
                return Err(format!("{} belongs to somebody else; remove it", self.folder.display()));
            }
            let path = self.folder.join("lock");
            let lock = match OpenOptions::new().create(true).append(true).open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                opened => opened.map_err(context)?,
            };
            lock.lock().map_err(context)?;
            // Whoever stops the server removes the folder; a lock on a removed file keeps nobody out.
            let held = lock.metadata().map_err(context)?.ino();
            if std::fs::metadata(&path).is_ok_and(|found| found.ino() == held) {
                return Ok(lock);
            }
        }
    }

    /// The address of one database, as both libpq and the driver of the store read it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", percent_encoded(&self.socket_folder()))
    }

    /// Runs one statement outside a transaction.
    pub(crate) fn sql(&self, statement: &str) -> Result<String, String> {
        let mut command = Command::new(self.binaries.path("psql"));
        // Nobody's own settings may reach in: no start-up file, no service, no password file.
        command
            .env_remove("PGSERVICE")
            .env_remove("PGOPTIONS")
            .env_remove("PGPORT")
            .env("PGCONNECT_TIMEOUT", "30");
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"]);
        command.args(["-p", "5432", "-U", "postgres", "-d", "postgres"]);
        binaries::run(
            command.arg("-h").arg(self.socket_folder()).arg("-c").arg(statement).stdin(Stdio::null()),
        )
    }

    fn start(&self) -> Result<(), String> {
        let context = |error: std::io::Error| format!("{} cannot be made: {error}", self.folder.display());
        self.stop_remains();
        for folder in [self.data_folder(), self.socket_folder()] {
            if folder.exists() {
                std::fs::remove_dir_all(&folder).map_err(context)?;
            }
            std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(context)?;
            self.binaries.give_to_server(&folder)?;
        }
        let mut initdb = self.binaries.as_server(self.binaries.path("initdb"));
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "-D",
        ]);
        binaries::run(initdb.arg(self.data_folder()).current_dir(&self.folder).stdin(Stdio::null()))?;

        let settings = format!("{SETTINGS}unix_socket_directories = '{}'\n", self.socket_folder().display());
        let file = self.data_folder().join("postgresql.conf");
        let written = std::fs::read_to_string(&file).and_then(|text| std::fs::write(&file, text + &settings));
        written.map_err(context)?;

        let mut pg_ctl = self.binaries.as_server(self.binaries.path("pg_ctl"));
        pg_ctl.args(["start", "--silent", "--wait", "--timeout=60", "-l"]).arg(self.log_file());
        pg_ctl.arg("-D").arg(self.data_folder()).current_dir(&self.folder);
        // The server outlives this test: it must not hold the test's pipes, nor be in its group.
        pg_ctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let status = pg_ctl.status().map_err(|error| format!("pg_ctl could not be started: {error}"))?;
        if status.success() {
            return Ok(());
        }
        let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        Err(format!("PostgreSQL did not start: {}", log.trim()))
    }

    /// Stops a server that runs but does not answer, so that its folder can be made anew.
    fn stop_remains(&self) {
        if self.data_folder().join("postmaster.pid").exists() {
            let mut stop = self.binaries.as_server(self.binaries.path("pg_ctl"));
            stop.args(["stop", "--silent", "--mode=immediate", "-D"]).arg(self.data_folder());
            if let Err(error) = binaries::run(stop.current_dir(&self.folder)) {
                eprintln!("remains of an earlier test server: {error}");
            }
        }
    }

    /// Starts the script that stops the server once no test has used it for a while.
    fn watch(&self) -> Result<(), String> {
        let script = self.folder.join("watchdog.sh");
        std::fs::write(&script, WATCHDOG)
            .map_err(|error| format!("{} cannot be written: {error}", script.display()))?;
        // The inner shell is left to the system's first process, so nobody has to wait for it.
        let mut shell = Command::new("sh");
        shell.args(["-c", "sh \"$@\" >/dev/null 2>&1 </dev/null &", "sh"]);
        shell.arg(&script).arg(&self.folder).arg(self.binaries.path("psql"));
        binaries::run(shell.current_dir("/").stdin(Stdio::null()).process_group(0)).map(drop)
    }

    fn data_folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn socket_folder(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// Inside the data folder, because the server's account may write nowhere else.
    fn log_file(&self) -> PathBuf {
        self.data_folder().join("server.log")
    }
}

/// The target folder of the running test, or this crate's folder when it runs from elsewhere.
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().and_then(std::fs::canonicalize).unwrap_or_default();
    let target = program.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").exists());
    target.unwrap_or(Path::new(env!("CARGO_MANIFEST_DIR"))).to_path_buf()
}

/// A folder of its own for each target folder and user, with a path short enough for a socket.
fn folder_for(temporary: &Path, target: &Path, user: u32) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (target, user).hash(&mut hasher);
    let name = format!("metsuke-postgres-{:016x}", hasher.finish());
    let folder = temporary.join(&name);
    if folder.as_os_str().len() > LONGEST_FOLDER { Path::new("/tmp").join(name) } else { folder }
}

fn percent_encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode =
        |byte: &u8| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_encoded_bytes().iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_temporary_folder_is_not_used_for_the_socket() {
        let long = PathBuf::from(format!("/{}", "x".repeat(90)));
        let folder = folder_for(&long, Path::new("/target"), 7);
        assert!(folder.starts_with("/tmp"));
        assert_ne!(folder, folder_for(&long, Path::new("/target"), 8));
    }

    #[test]
    fn the_socket_folder_survives_a_url() {
        assert_eq!(percent_encoded(Path::new("/tmp/a b/s")), "%2Ftmp%2Fa%20b%2Fs");
    }
}
