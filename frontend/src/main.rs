//! The `boxwood` binary: the command line and the ways to look at a machine.

mod characters;
mod cli;
mod cpu_models;
mod display;
mod drives;
mod exit;
mod keys;
mod run;
mod screenshot;
mod script;
mod session;
mod signals;
mod stats;
mod text;
mod trace;

use exit::Mistake;

fn main() {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("BOXWOOD_LOG"))
        .with_writer(std::io::stderr)
        .init();
    let ran = std::panic::catch_unwind(|| match cli::parse(std::env::args_os()) {
        Ok(Some((cli, steps))) => match cli.command {
            cli::Command::Run(args) => run::run(&args, steps),
            cli::Command::Cpu { what } => cpu_models::answer(&what),
        },
        Ok(None) => Ok(exit::OK),
        Err(mistake) => Err(mistake),
    });
    let code = match ran {
        Ok(Ok(code)) => code,
        Ok(Err(Mistake { code, sentence })) => {
            eprintln!("boxwood: {sentence}");
            code
        }
        Err(_) => {
            eprintln!(
                "boxwood: this is a defect of Boxwood itself; please report it with the lines above"
            );
            exit::INTERNAL
        }
    };
    std::process::exit(code.into());
}
