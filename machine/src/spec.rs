//! What a machine shall be, as plain data: no handle, no file that is open.

use cpu::models::ModelError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which board.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoardKind {
    /// i440FX and PIIX3, with the power management of the PIIX4.
    #[default]
    Pc,
}

/// What executes the guest's instructions.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    /// The interpreter.
    #[default]
    Interp,
    /// The host's processor, through KVM.
    Kvm,
}

/// What a drive is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MediumSource {
    /// An image file.
    File {
        /// Where it lies.
        path: PathBuf,
        /// Refuse to write.
        read_only: bool,
        /// Keep writes in memory only.
        snapshot: bool,
    },
    /// The demo disk that is built into the program.
    Demo,
}

/// Where firmware comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum RomSource {
    /// Our own.
    #[default]
    BuiltIn,
    /// A file.
    File(PathBuf),
}

/// A Linux kernel to boot, before any drive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinuxSpec {
    /// A bzImage.
    pub kernel: PathBuf,
    /// The initial RAM disk.
    pub initrd: Option<PathBuf>,
    /// The command line.
    pub append: String,
}

/// One kind of drive to boot from.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum BootDevice {
    /// `a`
    Floppy,
    /// `c`
    Disk,
    /// `d`
    Cdrom,
    /// `n`
    Network,
}

/// The moment that the real-time clock shows at power-on, in seconds since 1970-01-01 00:00 UTC.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RtcStart(pub u64);

impl RtcStart {
    /// What every deterministic run starts with: 2000-01-01 00:00:00 UTC.
    pub const DETERMINISTIC: Self = Self(946_684_800);
}

/// A machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MachineSpec {
    /// Which board.
    pub board: BoardKind,
    /// The CPU model: NAME[,+feature][,-feature]...
    pub cpu: String,
    /// What executes the guest's instructions.
    pub accel: Accel,
    /// RAM.
    pub memory_bytes: u64,
    /// Floppy drives A: and B:.
    pub floppies: [Option<MediumSource>; 2],
    /// Hard disks, in the order of the IDE positions that no CD-ROM drive takes.
    pub disks: Vec<MediumSource>,
    /// The CD-ROM drive's medium; there is always a drive.
    pub cdrom: Option<MediumSource>,
    /// A kernel to boot before any drive.
    pub linux: Option<LinuxSpec>,
    /// From what to boot, first choice first; empty: whatever was given, floppy, disk, CD.
    pub boot: Vec<BootDevice>,
    /// Firmware prompts for the key of its boot menu and waits for it (a second, in ours); without, the key counts only
    /// if it was pressed by then.
    pub boot_menu: bool,
    /// The system BIOS.
    pub bios: RomSource,
    /// The VGA BIOS.
    pub vgabios: RomSource,
    /// The debug-exit port, if there is one.
    pub debug_exit: Option<u16>,
    /// Instructions per guest second.
    pub insns_per_second: u64,
    /// What RAM holds at power-on: 0 for zeros, else the seed of a pattern that is the same on every host. Also the seed of
    /// the CPU's random numbers.
    pub seed: u64,
    /// What the real-time clock starts with.
    pub rtc_start: RtcStart,
}

impl Default for MachineSpec {
    fn default() -> Self {
        Self {
            board: BoardKind::Pc,
            cpu: DEFAULT_CPU.to_string(),
            accel: Accel::default(),
            memory_bytes: DEFAULT_MEMORY_BYTES,
            floppies: [None, None],
            disks: Vec::new(),
            cdrom: None,
            linux: None,
            boot: Vec::new(),
            boot_menu: false,
            bios: RomSource::BuiltIn,
            vgabios: RomSource::BuiltIn,
            debug_exit: None,
            insns_per_second: crate::DEFAULT_INSNS_PER_SECOND,
            seed: 0,
            rtc_start: RtcStart::DETERMINISTIC,
        }
    }
}

/// The CPU of a machine that names none: it runs whatever a guest brings, kernels of 64 bits too.
pub const DEFAULT_CPU: &str = "max";
/// The memory of a machine that names none.
pub const DEFAULT_MEMORY_BYTES: u64 = 128 << 20;
/// The least memory: the first megabyte's RAM.
pub const MIN_MEMORY_BYTES: u64 = 1 << 20;
/// The most: what lies below the PCI hole.
pub const MAX_MEMORY_BYTES: u64 = 3 << 30;

/// What is wrong with a machine's description.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Memory.
    #[error("{0} bytes of memory cannot be had: give 1M to 3G, in whole KiB")]
    Memory(u64),
    /// Rate.
    #[error("a machine cannot run at {0} instructions a second: give 10000 to 100000000000")]
    Rate(u64),
    /// Too many disks.
    #[error("{0} hard disks do not fit: the IDE channels have room for three and a CD-ROM drive")]
    TooManyDisks(usize),
    /// CPU.
    #[error(transparent)]
    Cpu(#[from] ModelError),
    /// A processor that our own BIOS does not run on.
    #[error(
        "{model} cannot run our BIOS, which needs an 80386 or later: give it one of its own with --bios"
    )]
    CpuTooOld {
        /// The CPU model's name.
        model: &'static str,
    },
    /// A ROM that cannot be read.
    #[error("the {what} image {path} cannot be read: {reason}")]
    RomUnreadable {
        /// Which.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A ROM of a wrong size.
    #[error("the {what} image {path} has {bytes} bytes: {rule}")]
    RomSize {
        /// Which.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// How many.
        bytes: u64,
        /// What would be right.
        rule: &'static str,
    },
}

impl MachineSpec {
    /// Checks what can be checked without opening a file.
    pub fn check(&self) -> Result<(), SpecError> {
        let sane = (MIN_MEMORY_BYTES..=MAX_MEMORY_BYTES).contains(&self.memory_bytes)
            && self.memory_bytes.is_multiple_of(1024);
        if !sane {
            return Err(SpecError::Memory(self.memory_bytes));
        }
        if !(10_000..=100_000_000_000).contains(&self.insns_per_second) {
            return Err(SpecError::Rate(self.insns_per_second));
        }
        if self.disks.len() > 3 {
            return Err(SpecError::TooManyDisks(self.disks.len()));
        }
        Ok(())
    }
}
