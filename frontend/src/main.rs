//! The `boxwood` binary: the command line and the ways to look at a machine.

mod characters;
mod cli;
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
        Ok(Some((cli, steps))) => {
            let cli::Command::Run(args) = cli.command;
            run::run(&args, steps)
        }
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
