//! House keeping that is too particular for cargo: `cargo xtask tidy`, and `codegen` for Protocol Buffers.
//!
//! Not part of the product: no product crate depends on it, and it depends on none of them.
//!
//! Invariant: a verb ends with 0 when nothing is wrong, 1 when something is, 2 when it was called wrongly.
#![expect(clippy::print_stdout, reason = "its findings on stdout are what this program is for")]
#![expect(clippy::print_stderr, reason = "and its own troubles go to stderr")]

#[cfg(feature = "codegen")]
mod codegen;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy
       cargo run -p xtask --features codegen -- codegen [--check]

  tidy      check the rules of the house that the compiler cannot check
  codegen   write the code for the .proto files, or say whether it is up to date";

fn main() -> ExitCode {
    let verbs: Vec<String> = std::env::args().skip(1).collect();
    match verbs.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => run_tidy(),
        ["codegen"] => run_codegen(false),
        ["codegen", "--check"] => run_codegen(true),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run_tidy() -> ExitCode {
    match tidy::run() {
        Ok(report) => {
            print!("{report}");
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "codegen")]
fn run_codegen(check: bool) -> ExitCode {
    match codegen::run(check) {
        Ok(said) => {
            print!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "codegen"))]
fn run_codegen(_: bool) -> ExitCode {
    eprintln!("error: built without it: `cargo run -p xtask --features codegen -- codegen`");
    ExitCode::from(2)
}
