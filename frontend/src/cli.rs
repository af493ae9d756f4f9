//! The command line, as DESIGN section 6 of the book words it: long options, one meaning each.
//!
//! An option appears here once it works.

use crate::exit::Mistake;
use crate::keys::{self, Chord};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{
    ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use emu_core::host::MouseEvent;
use std::ffi::OsString;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  boxwood                                  boot the demo disk, a tour of a PC
  boxwood dos.img                          boot an image: floppy, hard disk or CD is recognised
  boxwood --disk c.img --floppy a.img --boot ca
  boxwood --display terminal dos.img       the screen in this terminal; Ctrl+] quits
  boxwood dos.img --display none --expect-screen 'A:\\>' --type 'ver\\n' --screenshot ver.png";

const RUN_NOTES: &str = "\
Sizes take K, M or G (1024s); counts take k, M or G (1000s). Steps run in the order given and may repeat;
all happen in guest time, so that the same command gives the same run.

Exit codes: 0 powered off, steps done, or a limit without expectation; 64 wrong usage; 65 unusable file;
70 defect of Boxwood; 123 halted for ever; 124 limit before expectation; 125 guest ended before expectation;
126 triple fault (--on-triple-fault exit); VALUE*2+1 written to the debug-exit port; 128+n signal n.";

/// Boxwood: an exact, fast, observable x86 PC in software.
#[derive(Parser, Debug)]
#[command(
    name = "boxwood",
    version,
    disable_help_subcommand = true,
    override_usage = "boxwood [run] [OPTIONS] [IMAGE]\n       boxwood run --help\n       boxwood cpu list|show|diff",
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Boot a machine. The default: `boxwood a.img` is `boxwood run a.img`
    #[command(
        disable_help_flag = true,
        override_usage = "boxwood [run] [OPTIONS] [IMAGE]",
        after_help = format!("{RUN_NOTES}\n\n{EXAMPLES}")
    )]
    Run(Box<RunArgs>),
    /// Say which CPU models there are, what each has, and how two differ
    #[command(disable_help_subcommand = true)]
    Cpu {
        #[command(subcommand)]
        what: CpuQuestion,
    },
}

#[derive(Subcommand, Debug)]
pub enum CpuQuestion {
    /// Name the models, and the features that can be added and taken off
    List,
    /// Show a model's features, its CPUID and its registers
    Show {
        /// NAME[,+FEATURE][,-FEATURE]...
        #[arg(allow_hyphen_values = true)]
        model: String,
    },
    /// Show what the second model has and the first has not, and the other way round
    Diff {
        /// NAME[,+FEATURE][,-FEATURE]...
        from: String,
        /// The same
        to: String,
    },
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum DisplayChoice {
    /// A window on the desktop
    Window,
    /// The terminal: text modes with colours, graphics as half blocks
    Terminal,
    /// Nothing is shown
    None,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum ClockChoice {
    /// Time follows from the count of instructions; runs repeat exactly
    Deterministic,
    /// Time is held to the host's clock
    Realtime,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum TripleFaultChoice {
    /// The chipset restarts the CPU
    Reset,
    /// The run ends with exit code 126
    Exit,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum MachineChoice {
    /// i440FX and PIIX3
    Pc,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum AccelChoice {
    /// The interpreter: exact, and the same on every host
    Interp,
    /// The host's processor, through Linux' KVM
    Kvm,
}

#[derive(Args, Debug)]
pub struct RunArgs {
    /// Image to boot; floppy, hard disk or CD is recognised. None: the demo disk. FILE[,readonly][,snapshot]
    pub image: Option<String>,
    /// Show this help
    #[arg(short, long, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Board: i440FX and PIIX3
    #[arg(long, value_enum, value_name = "pc", default_value = "pc", hide_possible_values = true, help_heading = MACHINE)]
    pub machine: MachineChoice,
    /// CPU model, with features added and taken off: haswell,-avx2. "boxwood cpu list" names all; ours is a BIOS for the 80386 and later
    #[arg(long, value_name = "MODEL[,+F][,-F]", default_value = machine::spec::DEFAULT_CPU, help_heading = MACHINE)]
    pub cpu: String,
    /// What executes the guest: interp, or kvm (a first step: x86-64 Linux hosts, one CPU, runs do not repeat)
    #[arg(long, value_enum, value_name = "interp|kvm", default_value = "interp", hide_possible_values = true, help_heading = MACHINE)]
    pub accel: AccelChoice,
    /// Memory
    #[arg(long, value_name = "SIZE", default_value = "128M", value_parser = parse_size, allow_negative_numbers = true, help_heading = MACHINE)]
    pub mem: u64,
    /// System BIOS instead of ours
    #[arg(long, value_name = "FILE", help_heading = MACHINE)]
    pub bios: Option<PathBuf>,
    /// VGA BIOS instead of ours
    #[arg(long, value_name = "FILE", help_heading = MACHINE)]
    pub vgabios: Option<PathBuf>,
    /// The seed of the CPU's random numbers, and of what RAM holds at power-on (0: zeros)
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = parse_seed, allow_negative_numbers = true, help_heading = MACHINE)]
    pub seed: u64,
    /// A triple fault restarts the CPU, or ends the run with code 126
    #[arg(long, value_enum, value_name = "reset|exit", default_value = "reset", hide_possible_values = true, help_heading = MACHINE)]
    pub on_triple_fault: TripleFaultChoice,

    /// Floppy for A:, a second one for B:. FILE[,readonly][,snapshot]
    #[arg(long, value_name = "FILE", help_heading = DRIVES)]
    pub floppy: Vec<String>,
    /// Hard disk (repeat for more). FILE[,readonly][,snapshot]
    #[arg(long, value_name = "FILE", help_heading = DRIVES)]
    pub disk: Vec<String>,
    /// CD
    #[arg(long, value_name = "FILE", help_heading = DRIVES)]
    pub cdrom: Option<String>,
    /// Linux kernel (bzImage) to boot before any drive
    #[arg(long, value_name = "FILE", help_heading = DRIVES)]
    pub kernel: Option<PathBuf>,
    /// The kernel's initial RAM disk
    #[arg(long, value_name = "FILE", requires = "kernel", help_heading = DRIVES)]
    pub initrd: Option<PathBuf>,
    /// The kernel's command line
    #[arg(long, value_name = "TEXT", requires = "kernel", allow_hyphen_values = true, help_heading = DRIVES)]
    pub append: Option<String>,
    /// Boot order: a floppy, c hard disk, d CD
    #[arg(long, value_name = "LETTERS", help_heading = DRIVES)]
    pub boot: Option<String>,

    /// Where the picture goes [a window where there is a desktop, else the terminal]
    #[arg(long, value_enum, value_name = "window|terminal|none", hide_possible_values = true, help_heading = OUTSIDE)]
    pub display: Option<DisplayChoice>,
    /// COM1's other end, then COM2's ... stdio, file=FILE or none
    #[arg(long, value_name = "WHERE", value_parser = parse_character_end, help_heading = OUTSIDE)]
    pub serial: Vec<CharacterEnd>,
    /// Where ports E9h and 402h write to: stdio, file=FILE or none
    #[arg(long, value_name = "WHERE", value_parser = parse_character_end, help_heading = OUTSIDE)]
    pub debugcon: Option<CharacterEnd>,
    /// Time follows instructions alone, or is held to the host's clock [realtime with a display]
    #[arg(long, value_enum, value_name = "deterministic|realtime", hide_possible_values = true, help_heading = OUTSIDE)]
    pub clock: Option<ClockChoice>,
    /// Instructions in a guest second
    #[arg(long, value_name = "N", default_value_t = machine::DEFAULT_INSNS_PER_SECOND, value_parser = parse_count, allow_negative_numbers = true, help_heading = OUTSIDE)]
    pub ips: u64,

    /// Wait until this text stands on the screen
    #[arg(long, value_name = "TEXT", value_parser = parse_expected, help_heading = STEPS)]
    pub expect_screen: Vec<String>,
    /// Wait until COM1 has sent this text
    #[arg(long, value_name = "TEXT", value_parser = parse_expected, help_heading = STEPS)]
    pub expect_serial: Vec<String>,
    /// Type on the US keyboard; \n \t \\ \< <F1> <left> <ctrl-alt-del> ...
    #[arg(long = "type", value_name = "TEXT", value_parser = keys::parse, help_heading = STEPS)]
    pub type_text: Vec<Typing>,
    /// Move the mouse right and down; buttons held from then on: l, m, r
    #[arg(long, value_name = "DX,DY[,BUTTONS]", value_parser = parse_mouse, allow_hyphen_values = true, help_heading = STEPS)]
    pub mouse: Vec<MouseEvent>,
    /// Let instructions pass (5M), or guest time (2.5s, 300ms)
    #[arg(long, value_name = "INSNS|SECONDS", value_parser = parse_wait, allow_negative_numbers = true, help_heading = STEPS)]
    pub wait: Vec<Wait>,
    /// Write what the screen shows: a picture, or with .txt its characters
    #[arg(long, value_name = "FILE.png|FILE.txt", help_heading = STEPS)]
    pub screenshot: Vec<PathBuf>,

    /// End after so many instructions since power-on
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true, help_heading = LIMITS)]
    pub timeout_insns: Option<u64>,
    /// End after so many seconds on the host
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = LIMITS)]
    pub timeout: Option<f64>,
    /// A port that ends the run with exit code VALUE*2+1 [F4h]
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "F4h", value_parser = parse_port, help_heading = LIMITS)]
    pub debug_exit: Option<u16>,

    /// Save a snapshot when that many instructions have retired (repeat for more)
    #[arg(long, value_name = "INSNS=FILE", value_parser = parse_save_at, help_heading = WATCHING)]
    pub save_at: Vec<SaveAt>,
    /// Start from a snapshot of the same machine
    #[arg(long, value_name = "FILE", help_heading = WATCHING)]
    pub restore: Option<PathBuf>,
    /// Write counters and the state hash
    #[arg(long, value_name = "FILE.json", help_heading = WATCHING)]
    pub stats: Option<PathBuf>,
    /// Write each instruction, interrupt and port access. FILE[,range=HEX-HEX] keeps to
    /// addresses; FILE,watch=HEX-HEX writes loads and stores of addresses instead
    #[arg(long, value_name = "FILE", help_heading = WATCHING)]
    pub trace: Option<String>,
}

// The groups of the help.
const MACHINE: &str = "Machine";
const DRIVES: &str = "Drives";
const OUTSIDE: &str = "Display, ports and time";
const STEPS: &str = "Steps of a script";
const LIMITS: &str = "Limits";
const WATCHING: &str = "Snapshots and records";

/// A `--type` argument, ready to be played.
#[derive(Clone, Debug)]
pub struct Typing(pub Vec<Chord>);

/// A `--wait` argument.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Wait {
    Insns(u64),
    GuestNs(u64),
}

/// A `--save-at` argument.
#[derive(Clone, Debug)]
pub struct SaveAt {
    pub insns: u64,
    pub file: PathBuf,
}

/// The host's end of a character device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CharacterEnd {
    Stdio,
    File(PathBuf),
    None,
}

/// What the command line's order of steps is.
#[derive(Clone, Debug)]
pub enum Step {
    ExpectSerial(String),
    ExpectScreen(String),
    Type(Vec<Chord>),
    Mouse(MouseEvent),
    Wait(Wait),
    Screenshot(PathBuf),
}

fn parse_scaled(text: &str) -> Option<u64> {
    let (digits, shift) = match text.chars().last()? {
        'k' | 'K' => (&text[..text.len() - 1], 10),
        'm' | 'M' => (&text[..text.len() - 1], 20),
        'g' | 'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn parse_size(text: &str) -> Result<u64, String> {
    let bare = text.chars().all(|c| c.is_ascii_digit());
    let size = parse_scaled(text).and_then(|n| {
        if bare {
            n.checked_mul(1 << 20)
        } else {
            Some(n)
        }
    });
    size.ok_or_else(|| "a size is a number with K, M or G behind it, as in 64M".into())
}

fn parse_count(text: &str) -> Result<u64, String> {
    let clean: String = text.chars().filter(|c| *c != '_').collect();
    let (digits, factor) = match clean.chars().last() {
        Some('k' | 'K') => (&clean[..clean.len() - 1], 1_000),
        Some('m' | 'M') => (&clean[..clean.len() - 1], 1_000_000),
        Some('g' | 'G') => (&clean[..clean.len() - 1], 1_000_000_000),
        _ => (clean.as_str(), 1),
    };
    let n = digits
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor));
    n.ok_or_else(|| "a count is a number, with k, M or G behind it if you like".into())
}

fn parse_seed(text: &str) -> Result<u64, String> {
    let seed = text.parse();
    seed.map_err(|_| format!("a seed is a number from 0 to {}", u64::MAX))
}

fn parse_expected(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty text is always there; give the text to wait for".into());
    }
    Ok(text.to_string())
}

fn parse_wait(text: &str) -> Result<Wait, String> {
    let seconds = |digits: &str, ns_per_unit: f64| {
        let n: f64 = digits.parse().ok()?;
        (n.is_finite() && (0.0..1e9).contains(&n))
            .then_some(Wait::GuestNs((n * ns_per_unit) as u64))
    };
    let wait = if let Some(digits) = text.strip_suffix("ms") {
        seconds(digits, 1e6)
    } else if let Some(digits) = text.strip_suffix('s') {
        seconds(digits, 1e9)
    } else {
        parse_count(text).ok().map(Wait::Insns)
    };
    wait.ok_or_else(|| "a wait is a count of instructions (5M) or of seconds (2.5s, 300ms)".into())
}

fn parse_mouse(text: &str) -> Result<MouseEvent, String> {
    let wrong = || "it takes DX,DY[,BUTTONS], as in 10,-5 or 0,0,lr".to_string();
    let mut parts = text.split(',');
    let mut count = || -> Option<i32> {
        let n: i16 = parts.next()?.trim().parse().ok()?;
        Some(n.into())
    };
    let (dx, down) = count().zip(count()).ok_or_else(wrong)?;
    let mut buttons = 0;
    for letter in parts.next().unwrap_or("").chars() {
        buttons |= match letter {
            'l' => 1,
            'r' => 2,
            'm' => 4,
            _ => return Err(wrong()),
        };
    }
    if parts.next().is_some() {
        return Err(wrong());
    }
    Ok(MouseEvent {
        dx,
        dy: -down,
        wheel: 0,
        buttons,
    })
}

fn parse_port(text: &str) -> Result<u16, String> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_suffix(['h', 'H']))
        .unwrap_or(text);
    u16::from_str_radix(digits, 16).map_err(|_| "a port is a hexadecimal number, as in F4h".into())
}

fn parse_save_at(text: &str) -> Result<SaveAt, String> {
    let wrong = || "it takes INSNS=FILE, as in 1000000=early.snap".to_string();
    let (insns, file) = text.split_once('=').ok_or_else(wrong)?;
    if file.is_empty() {
        return Err(wrong());
    }
    let file = file.into();
    let insns = parse_count(insns)?;
    Ok(SaveAt { insns, file })
}

fn parse_character_end(text: &str) -> Result<CharacterEnd, String> {
    match text {
        "stdio" => Ok(CharacterEnd::Stdio),
        "none" => Ok(CharacterEnd::None),
        _ => match text.strip_prefix("file=") {
            Some(file) if !file.is_empty() => Ok(CharacterEnd::File(file.into())),
            _ => Err("it is stdio, file=FILE or none".into()),
        },
    }
}

/// Parses the process's arguments. `Ok(None)`: help or the version was printed.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
) -> Result<Option<(Cli, Vec<Step>)>, Mistake> {
    let mut args = args
        .into_iter()
        .map(OsString::into_string)
        .collect::<Result<Vec<String>, OsString>>()
        .map_err(|arg| {
            Mistake::usage(format!(
                "the argument {arg:?} is not in UTF-8, as names and texts must be here"
            ))
        })?;
    let verb = args.get(1).map(String::as_str);
    if !matches!(
        verb,
        Some("run" | "cpu" | "-h" | "--help" | "-V" | "--version")
    ) {
        args.insert(1.min(args.len()), "run".into());
    }
    let parsed = Cli::command()
        .try_get_matches_from(args)
        .and_then(|m| Ok((Cli::from_arg_matches(&m)?, m)));
    match parsed {
        Ok((cli, matches)) => {
            let run = matches.subcommand_matches("run");
            let steps = run.map_or_else(Vec::new, ordered_steps);
            Ok(Some((cli, steps)))
        }
        Err(e) if !e.use_stderr() => {
            let _ = e.print();
            Ok(None)
        }
        Err(e) => Err(Mistake::usage(
            match (e.kind(), e.get(ContextKind::InvalidArg)) {
                (ErrorKind::UnknownArgument, Some(ContextValue::String(word)))
                    if !word.starts_with('-') =>
                {
                    format!(
                        "{word}: one image is named for booting already; give the others with --floppy, --disk or --cdrom"
                    )
                }
                _ => one_sentence(&e.render().to_string()),
            },
        )),
    }
}

/// Clap's message without its list of usages.
fn one_sentence(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let first: Vec<&str> = text
        .lines()
        .take_while(|l| !l.starts_with("Usage:") && !l.starts_with("For more"))
        .map(str::trim)
        .filter(|l| !l.is_empty())
        // How to pass what looks like an option as a value: seldom what was meant.
        .filter(|l| !l.starts_with("tip: to pass"))
        .collect();
    let sentence = first
        .join("; ")
        .replace("; [", " [")
        .replace("; tip: ", "; ");
    format!("{sentence} (boxwood run --help lists the options)")
}

/// The steps in the order in which they stand on the command line.
fn ordered_steps(m: &ArgMatches) -> Vec<Step> {
    let mut steps: Vec<(usize, Step)> = Vec::new();
    fn add<T: Clone + Send + Sync + 'static>(
        m: &ArgMatches,
        id: &str,
        steps: &mut Vec<(usize, Step)>,
        make: impl Fn(T) -> Step,
    ) {
        let (Some(at), Some(values)) = (m.indices_of(id), m.get_many::<T>(id)) else {
            return;
        };
        steps.extend(at.zip(values.cloned().map(make)));
    }
    add(m, "expect_serial", &mut steps, Step::ExpectSerial);
    add(m, "expect_screen", &mut steps, Step::ExpectScreen);
    add(m, "type_text", &mut steps, |t: Typing| Step::Type(t.0));
    add(m, "mouse", &mut steps, Step::Mouse);
    add(m, "wait", &mut steps, Step::Wait);
    add(m, "screenshot", &mut steps, Step::Screenshot);
    steps.sort_by_key(|s| s.0);
    steps.into_iter().map(|s| s.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Result<(RunArgs, Vec<Step>), Mistake> {
        let args = std::iter::once("boxwood").chain(args.iter().copied());
        let (cli, steps) = parse(args.map(OsString::from))?.expect("no help was asked for");
        let Command::Run(run) = cli.command else {
            panic!("another verb");
        };
        Ok((*run, steps))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_the_default_verb() {
        assert!(run(&[]).unwrap().0.image.is_none());
        assert_eq!(run(&["a.img"]).unwrap().0.image, Some("a.img".into()));
        assert_eq!(
            run(&["run", "a.img"]).unwrap().0.image,
            Some("a.img".into())
        );
        assert_eq!(run(&["--mem", "1M"]).unwrap().0.mem, 1 << 20);
    }

    #[test]
    fn steps_keep_the_order_of_the_command_line() {
        let (_, steps) = run(&[
            "--expect-screen",
            "A:\\>",
            "--type",
            "ver\\n",
            "--expect-serial",
            "x",
            "--type",
            "b",
            "--wait",
            "2s",
            "--screenshot",
            "p.png",
            "--expect-screen",
            "end",
        ])
        .unwrap();
        let kinds: Vec<_> = steps
            .iter()
            .map(|s| match s {
                Step::ExpectSerial(t) | Step::ExpectScreen(t) => t.clone(),
                Step::Type(c) => format!("type {}", c.len()),
                Step::Mouse(m) => format!("mouse {} {} {}", m.dx, m.dy, m.buttons),
                Step::Wait(w) => format!("{w:?}"),
                Step::Screenshot(p) => p.display().to_string(),
            })
            .collect();
        assert_eq!(
            kinds,
            [
                "A:\\>",
                "type 4",
                "x",
                "type 1",
                "GuestNs(2000000000)",
                "p.png",
                "end"
            ]
        );
    }

    #[test]
    fn a_mistake_is_one_sentence_with_exit_code_64() {
        for bad in [
            &["--mem", "lots"][..],
            &["--no-such-option"],
            &["--display", "hologram"],
            &["--type", "<nokey>"],
            &["--save-at", "7"],
            &["--debug-exit=xyz"],
            &["--wait", "soon"],
            &["--serial", "carrier-pigeon"],
            &["a.img", "b.img"],
        ] {
            let m = run(bad).expect_err("it was taken");
            assert_eq!(m.code, 64);
            assert!(!m.sentence.contains('\n'), "{}", m.sentence);
        }
    }

    #[test]
    fn the_debug_exit_port_has_a_default() {
        assert_eq!(run(&["--debug-exit"]).unwrap().0.debug_exit, Some(0xF4));
        assert_eq!(
            run(&["--debug-exit=501"]).unwrap().0.debug_exit,
            Some(0x501)
        );
        assert_eq!(run(&[]).unwrap().0.debug_exit, None);
    }
}
