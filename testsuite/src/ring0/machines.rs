//! The machines that run the cases: ours, in this process, and two peers as programs of their own.

use super::case::Case;
use super::image;
use super::record::{Outcome, Record};
use super::runtime::{BEGIN, DONE};
use super::sandbox::Sandbox;
use anyhow::{Context, Result, bail};
use emu_core::host::CharBackend;
use machine::boards::{self, Hosts};
use machine::spec::{BootDevice, MachineSpec, MediumSource};
use machine::{OnTripleFault, Stop, Until};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Who runs the cases.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Who {
    Boxwood,
    Bochs,
    Qemu,
}

impl Who {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boxwood => "boxwood",
            Self::Bochs => "bochs",
            Self::Qemu => "qemu",
        }
    }

    /// Parses the name of a peer.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "bochs" => Ok(Self::Bochs),
            "qemu" => Ok(Self::Qemu),
            _ => Err("the peers are bochs and qemu".into()),
        }
    }
}

/// The model of ours, and of Bochs the one that has as much of it as there is.
const MODEL: &str = "max";
const BOCHS_MODEL: &str = "broadwell_ult";
/// QEMU's; an AMD, which is its default, has no SYSENTER in long mode, and other rules besides.
const QEMU_MODEL: &str = "max,vendor=GenuineIntel";
const BOCHS_LOG: &str = "bochs.log";
/// A peer that prints nothing for so long has stopped.
const SILENCE: Duration = Duration::from_secs(10);
/// The same before it has begun: firmware of its own, and a disk to be read, on a host that may be busy.
const BOOT_SILENCE: Duration = Duration::from_secs(120);
/// Ours, in instructions: many thousand cases', and before the first of them the firmware's.
const SILENCE_INSNS: u64 = 2_000_000;
const BOOT_INSNS: u64 = 100_000_000;
pub const MEMORY_BYTES: u64 = 64 << 20;
/// A machine that more of its cases bring down does not work at all: a share of them, and some.
const LOST_SHARE: usize = 50;
const LOST_MIN: usize = 20;

/// Runs the cases; a machine that a case brings down goes on with the next case in a new image.
pub fn run(who: Who, cases: &[Case], pristine: &Sandbox, folder: &Path) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(cases.len());
    let (mut lost, mut again) = (0, false);
    let start = std::time::Instant::now();
    while outcomes.len() < cases.len() {
        let rest = &cases[outcomes.len()..];
        let path = folder.join(format!("{}-{lost}.img", who.name()));
        std::fs::write(&path, image::disk(rest, pristine)?)
            .with_context(|| path.display().to_string())?;
        let Collector {
            records,
            began,
            finished,
            silent,
        } = match who {
            Who::Boxwood => run_ours(&path, rest.len())?,
            Who::Bochs => run_program(bochs(&path, folder)?)?,
            Who::Qemu => run_program(qemu(&path))?,
        };
        std::fs::remove_file(&path)?;
        // A Bochs that was stopped leaves it behind, and refuses the next disk of that name.
        let _ = std::fs::remove_file(path.with_extension("img.lock"));
        if !began && !again {
            // On a busy host a peer may fail to start.
            eprintln!("{}: did not boot, once more", who.name());
            again = true;
            continue;
        }
        again = false;
        if !began {
            let log = std::fs::read_to_string(folder.join(BOCHS_LOG)).unwrap_or_default();
            let why = log.lines().find(|l| l.contains("PANIC"));
            bail!(
                "{} did not boot: {}",
                who.name(),
                why.unwrap_or("no reason given")
            );
        }
        let came = records.len().min(rest.len());
        for (case, record) in rest.iter().zip(records) {
            if record.fields[super::layout::record::NUMBER] != case.number as u32 {
                bail!("{}: case {} is out of order", who.name(), case.number);
            }
            outcomes.push(Outcome::Recorded(Box::new(record)));
        }
        if finished && came == rest.len() {
            break;
        }
        if finished {
            bail!("{} printed {came} of {} cases", who.name(), rest.len());
        }
        let case = &rest[came];
        eprintln!(
            "{}: case {} brought it down: {}",
            who.name(),
            case.number,
            case.disassembly()
        );
        outcomes.push(if silent {
            Outcome::Silent
        } else {
            Outcome::Shutdown
        });
        lost += 1;
        if lost > LOST_MIN + cases.len() / LOST_SHARE {
            bail!("{} came down {lost} times", who.name());
        }
    }
    eprintln!(
        "{}: {} cases in {:.1} s",
        who.name(),
        cases.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(outcomes)
}

/// Collects the records among lines of text.
#[derive(Default)]
struct Collector {
    records: Vec<Record>,
    began: bool,
    finished: bool,
    /// It has printed nothing for long, and has not come down.
    silent: bool,
}

impl Collector {
    fn line(&mut self, line: &str) {
        self.began |= line.ends_with(BEGIN);
        self.finished |= line.ends_with(DONE);
        // A debugger's prompt may stand before it.
        if let Some(at) = line.rfind('#')
            && let Some(record) = Record::parse(&line[at..])
        {
            self.records.push(record);
        }
    }
}

/// Sends each line of port E9h.
struct Lines {
    line: String,
    to: Sender<String>,
}

impl CharBackend for Lines {
    fn put(&mut self, byte: u8) {
        if byte == b'\n' {
            // Nobody listens any more only if the machine is being dropped.
            let _ = self.to.send(std::mem::take(&mut self.line));
        } else if self.line.len() < 1 << 16 {
            self.line.push(byte as char);
        }
    }
}

fn run_ours(disk: &Path, cases: usize) -> Result<Collector> {
    let (to, lines) = channel();
    let spec = MachineSpec {
        cpu: MODEL.to_string(),
        memory_bytes: MEMORY_BYTES,
        disks: vec![MediumSource::File {
            path: disk.to_path_buf(),
            read_only: false,
            snapshot: true,
        }],
        boot: vec![BootDevice::Disk],
        ..MachineSpec::default()
    };
    let hosts = Hosts {
        debugcon: Some(Box::new(Lines {
            line: String::new(),
            to,
        })),
        ..Hosts::default()
    };
    let mut machine = boards::build(&spec, hosts)?;
    machine.set_on_triple_fault(OnTripleFault::Exit);
    let mut collector = Collector::default();
    loop {
        let stop = machine.run(Until::insns(machine.insns() + SILENCE_INSNS), None);
        let mut came = 0;
        for line in lines.try_iter() {
            collector.line(&line);
            came += 1;
        }
        let stuck = collector.records.len() > cases;
        let silent = came == 0 && (collector.began || machine.insns() > BOOT_INSNS);
        if collector.finished || silent || stuck || stop != Stop::Insns {
            collector.silent = stop == Stop::Insns;
            return Ok(collector);
        }
    }
}

/// The options of Debian's Bochs, which stops in its debugger unless a file tells that to go on.
fn bochs(disk: &Path, folder: &Path) -> Result<Command> {
    let options = format!(
        "display_library: rfb, options=\"timeout=0\"\n\
         sound: driver=dummy\n\
         romimage: file=/usr/share/bochs/BIOS-bochs-latest\n\
         vgaromimage: file=/usr/share/vgabios/vgabios.bin\n\
         cpu: model={BOCHS_MODEL}, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0\n\
         memory: guest=64, host=64\n\
         ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n\
         ata0-master: type=disk, mode=flat, path={}, cylinders=0\n\
         boot: disk\n\
         clock: sync=none, time0=946684800\n\
         port_e9_hack: enabled=1\n\
         panic: action=fatal\n\
         error: action=ignore\n\
         info: action=ignore\n\
         debug: action=ignore\n\
         log: {}\n",
        disk.display(),
        folder.join(BOCHS_LOG).display()
    );
    let (options_path, commands) = (folder.join("bochsrc"), folder.join("bochs.rc"));
    std::fs::write(&options_path, options)?;
    std::fs::write(&commands, "c\nq\n")?;
    let mut command = Command::new("bochs");
    command.arg("-q").arg("-f").arg(options_path);
    command.arg("-rc").arg(commands);
    Ok(command)
}

fn qemu(disk: &Path) -> Command {
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args([
            "-accel",
            "tcg",
            "-cpu",
            QEMU_MODEL,
            "-m",
            "64",
            "-no-reboot",
        ])
        .args(["-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-net", "none", "-debugcon", "stdio", "-drive"])
        .arg(format!(
            "file={},format=raw,if=ide,snapshot=on",
            disk.display()
        ));
    command
}

/// Runs a peer until it has done everything, or has stopped.
fn run_program(mut command: Command) -> Result<Collector> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| {
            format!(
                "{name} cannot be started: apt-get install bochs bochsbios vgabios qemu-system-x86"
            )
        })?;
    let result = collect(&mut child);
    // It has ended, or has nothing more to say.
    let _ = child.kill();
    child.wait()?;
    result
}

fn collect(child: &mut Child) -> Result<Collector> {
    let output = child.stdout.take().context("the peer's output")?;
    let (to, lines): (Sender<String>, Receiver<String>) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if to.send(line).is_err() {
                return;
            }
        }
    });
    let mut collector = Collector::default();
    while !collector.finished {
        let silence = if collector.began {
            SILENCE
        } else {
            BOOT_SILENCE
        };
        match lines.recv_timeout(silence) {
            Ok(line) => collector.line(&line),
            Err(why) => {
                // The other error is the end of the program.
                collector.silent = why == RecvTimeoutError::Timeout;
                break;
            }
        }
    }
    Ok(collector)
}
