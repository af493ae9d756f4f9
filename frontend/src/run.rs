//! `boxwood run`: from the command line to a machine, a script and a display.

use crate::characters::{self, Output, Sinks, Tap};
use crate::cli::{
    AccelChoice, CharacterEnd, ClockChoice, DisplayChoice, MachineChoice, RunArgs, Step,
    TripleFaultChoice,
};
use crate::display::{terminal, window};
use crate::drives;
use crate::exit::Mistake;
use crate::script::Script;
use crate::session::{Orders, Session};
use crate::trace::Tracer;
use emu_core::host::CharBackend;
use machine::boards::{self, BuildError, Hosts};
use machine::linux::LinuxError;
use machine::spec::{Accel, BoardKind, LinuxSpec, MachineSpec, RomSource, RtcStart, SpecError};
use machine::{ClockMode, Machine, OnTripleFault};
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Boots a machine and runs it to the end; gives the exit code.
pub fn run(args: &RunArgs, steps: Vec<Step>) -> Result<u8, Mistake> {
    let face = choose_face(args)?;
    let clock = args.clock.unwrap_or(match face {
        Face::None => ClockChoice::Deterministic,
        Face::Window(_) | Face::Terminal => ClockChoice::Realtime,
    });
    let stdio_users = args
        .serial
        .iter()
        .chain(&args.debugcon)
        .filter(|e| **e == CharacterEnd::Stdio)
        .count();
    if matches!(face, Face::Terminal) && stdio_users > 0 {
        return Err(Mistake::usage(
            "the terminal cannot show the screen and a serial port at once: give one of them a file, or --display none or window",
        ));
    }
    if args.serial.len() > SERIAL_PORTS {
        return Err(Mistake::usage(format!(
            "--serial was given {} times, but there are {SERIAL_PORTS} ports",
            args.serial.len()
        )));
    }
    let spec = spec_of(args, clock)?;
    let com1 = Tap::default();
    let mut sinks = Sinks::default();
    let hosts = hosts_of(args, &com1, &mut sinks)?;
    let mut machine = boards::build(&spec, hosts).map_err(|e| match e {
        BuildError::Spec(SpecError::Cpu(_) | SpecError::CpuTooOld { .. }) => {
            Mistake::usage(format!("--cpu: {e}"))
        }
        BuildError::Linux(LinuxError::CommandLine { .. }) => {
            Mistake::usage(format!("--append: {e}"))
        }
        _ => Mistake::data(e.to_string()),
    })?;
    machine.set_on_triple_fault(match args.on_triple_fault {
        TripleFaultChoice::Reset => OnTripleFault::Reset,
        TripleFaultChoice::Exit => OnTripleFault::Exit,
    });
    restore(args, &mut machine)?;
    machine.set_clock(match clock {
        ClockChoice::Deterministic => ClockMode::Deterministic,
        ClockChoice::Realtime => ClockMode::RealTime,
    });
    let tracer = args.trace.as_deref().map(Tracer::open).transpose()?;
    let timeout_host = args.timeout.map(seconds).transpose()?;
    let orders = Orders {
        timeout_insns: args.timeout_insns,
        timeout_host,
        saves: args.save_at.clone(),
        stats: args.stats.clone(),
    };
    let com1_is_stdio = args.serial.first() == Some(&CharacterEnd::Stdio);
    let session = Session::new(machine, Script::new(steps, com1), orders)
        .with_tracer(tracer)
        .with_stdin(com1_is_stdio.then(characters::stdin_bytes))
        .with_sinks(sinks)
        .with_signals();
    let outcome = match face {
        Face::None => session.run(),
        Face::Terminal => terminal::run(session),
        Face::Window(desktop) => window::run(desktop, session),
    }?;
    for line in outcome.words {
        eprintln!("{line}");
    }
    Ok(outcome.code)
}

/// Where the picture goes.
enum Face {
    Window(window::Desktop),
    Terminal,
    None,
}

const SERIAL_PORTS: usize = 4;

fn seconds(n: f64) -> Result<Duration, Mistake> {
    Duration::try_from_secs_f64(n)
        .map_err(|_| Mistake::usage(format!("--timeout {n}: it takes a number of seconds")))
}

fn choose_face(args: &RunArgs) -> Result<Face, Mistake> {
    match args.display {
        Some(DisplayChoice::None) => return Ok(Face::None),
        Some(DisplayChoice::Terminal) => return Ok(Face::Terminal),
        Some(DisplayChoice::Window) => return window::demand().map(Face::Window),
        None => {}
    }
    if !std::io::stdout().is_terminal() {
        return Err(Mistake::usage(
            "standard output is no terminal, so say where the picture shall go: --display none, terminal or window",
        ));
    }
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
    if !desktop {
        return Ok(Face::Terminal);
    }
    Ok(match window::open() {
        Ok(desktop) => Face::Window(desktop),
        Err(why) => {
            // It is seen again when the terminal is left.
            eprintln!(
                "boxwood: no window can be opened ({why}): the terminal shows the screen instead"
            );
            Face::Terminal
        }
    })
}

fn spec_of(args: &RunArgs, clock: ClockChoice) -> Result<MachineSpec, Mistake> {
    let rom = |path: &Option<std::path::PathBuf>| match path {
        Some(path) => RomSource::File(path.clone()),
        None => RomSource::BuiltIn,
    };
    let mut spec = MachineSpec {
        board: match args.machine {
            MachineChoice::Pc => BoardKind::Pc,
        },
        accel: match args.accel {
            AccelChoice::Interp => Accel::Interp,
            AccelChoice::Kvm => Accel::Kvm,
        },
        cpu: args.cpu.clone(),
        memory_bytes: args.mem,
        bios: rom(&args.bios),
        vgabios: rom(&args.vgabios),
        linux: args.kernel.clone().map(|kernel| LinuxSpec {
            kernel,
            initrd: args.initrd.clone(),
            append: args.append.clone().unwrap_or_default(),
        }),
        debug_exit: args.debug_exit,
        // Somebody may sit at the keyboard.
        boot_menu: clock == ClockChoice::Realtime,
        insns_per_second: args.ips,
        seed: args.seed,
        rtc_start: match clock {
            ClockChoice::Deterministic => RtcStart::DETERMINISTIC,
            ClockChoice::Realtime => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                now.map_or(RtcStart::DETERMINISTIC, |d| RtcStart(d.as_secs()))
            }
        },
        ..MachineSpec::default()
    };
    spec.check().map_err(|e| Mistake::usage(e.to_string()))?;
    drives::fill(args, &mut spec)?;
    spec.check().map_err(|e| Mistake::usage(e.to_string()))?;
    Ok(spec)
}

fn hosts_of(args: &RunArgs, com1: &Tap, sinks: &mut Sinks) -> Result<Hosts, Mistake> {
    let mut hosts = Hosts::default();
    for i in 0..SERIAL_PORTS {
        let end = args.serial.get(i).unwrap_or(&CharacterEnd::None);
        let tap = (i == 0).then(|| com1.clone());
        hosts
            .serial
            .push(Box::new(characters::open(end, tap, sinks)?));
    }
    if let Some(end) = &args.debugcon {
        let output: Output = characters::open(end, None, sinks)?;
        hosts.debugcon = Some(Box::new(output) as Box<dyn CharBackend>);
    }
    Ok(hosts)
}

/// What a snapshot may hold besides the machine's memory, video memory and ROMs included.
const SNAPSHOT_EXTRA_BYTES: u64 = 256 << 20;

/// Reads a file that should be no longer than `most`.
fn read_snapshot(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let sentence = format!(
            "it is longer than {most} bytes, the most that a snapshot of this machine can have"
        );
        return Err(io::Error::other(sentence));
    }
    Ok(bytes)
}

fn restore(args: &RunArgs, machine: &mut Machine) -> Result<(), Mistake> {
    let Some(path) = &args.restore else {
        return Ok(());
    };
    let name = path.display();
    // Memory is the most of it, and does not grow much where it cannot be compressed.
    let most = args
        .mem
        .saturating_mul(2)
        .saturating_add(SNAPSHOT_EXTRA_BYTES);
    let file = read_snapshot(path, most)
        .map_err(|e| Mistake::data(format!("the snapshot {name} cannot be read: {e}")))?;
    machine
        .restore(&file)
        .map_err(|e| Mistake::data(format!("the snapshot {name} cannot be used: {e}")))
}
