//! The guests: what is booted, by which firmware, and what shows that it works.

use super::disk::{self, BootCode, Layout, Volume};
use super::dos;
use super::firmware::{BOCHS, Firmware, OURS, SEABIOS};
use super::linux::{self, RamDisk};
use super::linux_disk;
use super::package::PackageFile;
use super::selftests::{self, Programs};
use super::stress_ng;
use Step::{Expect, PowerOff, Receive, Type};
use anyhow::Result;
use std::ffi::OsString;

/// Where an image comes from.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A Debian package.
    Package(PackageFile),
    /// The folder given with `--images`.
    Image(&'static str),
    /// The demo disk of `roms/`.
    Demo,
}

/// In which drive it is put.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Medium {
    Floppy(Source),
    HardDisk(Source),
    Cdrom(Source),
    /// A hard disk that is made first, with the system of a DOS diskette.
    DosDisk(Layout, Source),
    /// No drive: a Linux kernel and its RAM disk.
    Kernel(Source, RamDisk),
    /// A hard disk that is made first, with a Linux kernel, its RAM disk and SYSLINUX.
    SyslinuxDisk(Source, RamDisk),
    /// A hard disk with GRUB, and a second one that is made first, with a Linux kernel and its RAM disk.
    GrubDisk(Source, RamDisk),
}

impl Medium {
    pub fn source(&self) -> Source {
        match *self {
            Self::Floppy(s)
            | Self::HardDisk(s)
            | Self::Cdrom(s)
            | Self::DosDisk(_, s)
            | Self::Kernel(s, _)
            | Self::SyslinuxDisk(s, _)
            | Self::GrubDisk(s, _) => s,
        }
    }

    /// The options that boot from this drive; the image follows.
    pub fn options(&self) -> Result<Vec<OsString>> {
        let words: &[&str] = match self {
            Self::Floppy(_) => &["--boot", "a", "--floppy"],
            Self::HardDisk(_) | Self::DosDisk(..) | Self::SyslinuxDisk(..) => {
                &["--boot", "c", "--disk"]
            }
            Self::GrubDisk(..) => {
                // What is written to GRUB's disk is not kept.
                let mut grub = GRUB_DISK.find()?.into_os_string();
                grub.push(",snapshot");
                let words = ["--boot", "c", "--disk"].map(OsString::from);
                return Ok([&words[..], &[grub, "--disk".into()]].concat());
            }
            Self::Cdrom(_) => &["--boot", "d", "--cdrom"],
            Self::Kernel(..) => &["--append", linux::COMMAND_LINE, "--kernel"],
        };
        Ok(words.iter().map(Into::into).collect())
    }

    /// The RAM disk that `--initrd` names.
    pub fn initrd(&self) -> Option<RamDisk> {
        match self {
            Self::Kernel(_, ram_disk) => Some(*ram_disk),
            _ => None,
        }
    }

    /// The RAM disk of a Linux kernel, however it is started.
    fn ram_disk(&self) -> Option<RamDisk> {
        match self {
            Self::Kernel(_, r) | Self::SyslinuxDisk(_, r) | Self::GrubDisk(_, r) => Some(*r),
            _ => None,
        }
    }

    /// Where DOS keeps its files.
    pub fn volume(&self) -> Volume {
        match self {
            Self::DosDisk(layout, _) => layout.volume(),
            _ => Volume::WHOLE,
        }
    }
}

/// A step of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// This text stands on the screen.
    Expect(String),
    /// Keys, written as `--type` takes them.
    Type(String),
    /// COM1 sends this text.
    Receive(String),
    /// The guest switches the machine off.
    PowerOff,
}

/// A guest, and what shows that it works.
#[derive(Clone, Debug)]
pub struct Guest {
    pub name: &'static str,
    pub medium: Medium,
    pub memory: &'static str,
    /// Instructions per guest second. A guest that mostly waits for a drive or a typist runs on a slow machine: fewer
    /// instructions pass meanwhile.
    pub rate: &'static str,
    /// What happens from each power-on to the next, on the same image.
    pub sessions: Vec<Vec<Step>>,
    /// A session that takes more instructions has failed.
    pub limit_insns: &'static str,
    /// The image is a FAT volume on which [`dos::sessions`] took place: its files are compared from outside.
    pub files_change: bool,
    pub firmware: &'static [Firmware],
    /// Takes seconds, not minutes.
    pub quick: bool,
}

const BOTH: &[Firmware] = &[OURS, SEABIOS];

const DEFAULT_RATE: &str = "100M";
/// About an 80486.
const SLOW_RATE: &str = "20M";

const fn memtest() -> Source {
    Source::Package(PackageFile {
        package: "memtest86+",
        path: "/usr/lib/memtest86+/memtest86+ia32.iso",
    })
}

const fn grub(path: &'static str) -> Source {
    Source::Package(PackageFile {
        package: "grub-rescue-pc",
        path,
    })
}

const GRUB_DISK: PackageFile = PackageFile {
    package: "grub-rescue-pc",
    path: "/usr/lib/grub-rescue/grub-rescue-usb.img",
};

const fn linux_amd64() -> Source {
    Source::Package(PackageFile {
        package: "debian-installer-12-netboot-amd64",
        path: "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/linux",
    })
}

const fn linux_i386() -> Source {
    Source::Package(PackageFile {
        package: "debian-installer-12-netboot-i386",
        path: "/usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/linux",
    })
}

/// Linux takes interrupts from its local APIC, runs programs, and switches off by the ACPI tables; `start` is what
/// starts it.
fn init_steps(start: &[Step], init_sends: &[&str]) -> Vec<Step> {
    let kernel = ["ACPI: PM: (supports S0 S5)", "Run /init as init process"];
    let off = ["reboot: Power down"];
    let texts = [&kernel[..], init_sends, &off].concat();
    let mut steps = start.to_vec();
    steps.extend(texts.into_iter().map(|text| Receive(text.into())));
    steps.push(PowerOff);
    steps
}

/// Tests of the processor under Linux: the kernel, its RAM disk, what the tests send when none fails.
const LINUX_TESTS: [(&str, Source, RamDisk, &[&str]); 3] = [
    (
        "Linux amd64 with stress-ng",
        linux_amd64(),
        RamDisk::StressNg,
        &stress_ng::SENDS,
    ),
    (
        "Linux amd64 selftests",
        linux_amd64(),
        RamDisk::Selftests(Programs::All),
        &selftests::SENDS,
    ),
    (
        "Linux i386 selftests",
        linux_i386(),
        RamDisk::Selftests(Programs::Of32Bits),
        &selftests::SENDS,
    ),
];

/// What is typed at GRUB.
fn grub_starts_linux() -> Vec<Step> {
    let lines = [
        format!(
            "linux (hd1,msdos1)/{} {}",
            linux::KERNEL_FILE,
            linux::COMMAND_LINE
        ),
        format!("initrd (hd1,msdos1)/{}", linux::RAM_DISK_FILE),
        "boot".into(),
    ];
    let mut steps = vec![
        Expect("GNU GRUB".into()),
        Type("c".into()),
        Expect("\ngrub>".into()),
    ];
    for line in lines {
        // The BIOS holds 15 keys: nothing is typed while GRUB loads a file.
        let done = format!("{line}\ngrub>");
        steps.push(Type(format!("{line}\\n")));
        steps.push(Expect(done));
    }
    // The last line starts the kernel.
    steps.pop();
    steps
}

/// Linux finds the ACPI tables, takes its interrupts from the I/O APIC as these say, and switches off by them.
fn linux_steps() -> Vec<Step> {
    let mut steps: Vec<Step> = [
        "ACPI: RSDP",
        "ACPI: INT_SRC_OVR (bus 0 bus_irq 9 global_irq 9 high level)",
        "ACPI: 1 ACPI AML tables successfully acquired and loaded",
        "ACPI: PM: (supports S0 S5)",
        "ACPI: Using IOAPIC for interrupt routing",
        "ACPI: PCI: Interrupt link LNKD configured for IRQ 11",
        "Run /init as init process",
        "IO-APIC   2-edge      timer",
        "IO-APIC   9-fasteoi   acpi",
        "ACPI: PM: Preparing to enter system sleep state S5",
    ]
    .map(|text| Receive(text.into()))
    .to_vec();
    steps.push(PowerOff);
    steps
}

/// FreeDOS on disks of 8 MiB and 64 MiB, which cylinders, heads and sectors reach, and behind the first 768 MiB of a
/// disk of 1 GiB, where only sector numbers reach without translation.
const DOS_DISKS: [(&str, Layout); 3] = [
    (
        "FreeDOS hard disk, FAT12",
        Layout {
            sectors: 20 * 16 * 63,
            start_sector: 63,
            partition_sectors: 20 * 16 * 63 - 64,
            partition_type: 0x01,
            fat_bits: 12,
            sectors_per_cluster: 8,
            boot_code: BootCode::OfTheDiskette,
        },
    ),
    (
        "FreeDOS hard disk, FAT16 by CHS",
        Layout {
            sectors: 130 * 16 * 63,
            start_sector: 63,
            partition_sectors: 130 * 16 * 63 - 64,
            partition_type: 0x06,
            fat_bits: 16,
            sectors_per_cluster: 4,
            boot_code: BootCode::Fat16,
        },
    ),
    (
        "FreeDOS hard disk, FAT16 by LBA",
        Layout {
            sectors: 2 << 20,
            start_sector: 768 << 11,
            partition_sectors: 128 << 11,
            partition_type: 0x0E,
            fat_bits: 16,
            sectors_per_cluster: 8,
            boot_code: BootCode::Fat16,
        },
    ),
];

const DOS_DISKETTES: [(&str, &str); 3] = [
    ("FreeDOS 360K", "freedos-360k.img"),
    ("FreeDOS 720K", "freedos-720k.img"),
    ("FreeDOS 1.44M", "freedos-1440k.img"),
];

/// GRUB's menu with all of its entries, and its command line.
fn grub_steps() -> Vec<Step> {
    const ENTRIES: [&str; 9] = [
        "GNU/Linux",
        "GNU (aka GNU/Hurd)",
        "FreeBSD (or GNU/kFreeBSD), direct boot",
        "FreeBSD (or GNU/kFreeBSD), via /boot/loader",
        "NetBSD",
        "OpenBSD",
        "Microsoft Windows",
        "Memtest86+",
        "Change the colors",
    ];
    // The menu is 76 columns wide inside its frame; the first entry is marked, and the line behind the last one is
    // empty.
    let line = |mark: char, text: &str| format!("│{mark}{text:<75}│");
    let mut menu = vec![line('*', ENTRIES[0])];
    menu.extend(ENTRIES[1..].iter().map(|e| line(' ', e)));
    menu.push(line(' ', ""));
    vec![
        Expect("GNU GRUB".into()),
        Expect(menu.join("\n ")),
        Type("c".into()),
        Expect("\ngrub>".into()),
    ]
}

/// Every guest.
pub fn guests() -> Vec<Guest> {
    let one = |steps: &[Step]| vec![steps.to_vec()];
    let guest = |name, medium, sessions| Guest {
        name,
        medium,
        memory: "32M",
        rate: DEFAULT_RATE,
        sessions,
        limit_insns: "10G",
        files_change: false,
        firmware: BOTH,
        quick: true,
    };
    let demo = one(&[
        Expect("Press the key of what you want to see".into()),
        Type("2".into()),
        Expect("E820".into()),
    ]);
    let memtest_begins = vec![Expect("Status: Testing".into())];
    let memtest_pass = vec![
        Expect("Status: Testing".into()),
        Expect("Pass:  1        Errors: 0".into()),
        Expect("Press any key to remove this banner".into()),
    ];
    let dos_prompt = one(&[
        Expect("A:\\>".into()),
        Type("ver\\n".into()),
        Expect("FreeCom".into()),
        Type("dir\\n".into()),
        Expect("bytes free".into()),
    ]);
    let elks = one(&[
        Expect("VFS: Mounted root".into()),
        Expect("\n#".into()),
        Type("uname\\n".into()),
        Expect("\nELKS".into()),
    ]);
    let mut all = vec![
        Guest {
            // The program moves itself to 4 MiB and needs 162 KiB there; the firmware keeps the last 64 KiB.
            memory: "4352K",
            firmware: &[OURS],
            limit_insns: "40G",
            quick: false,
            ..guest(
                "memtest86+ finishes a pass",
                Medium::Cdrom(memtest()),
                one(&memtest_pass),
            )
        },
        guest("demo floppy", Medium::Floppy(Source::Demo), demo.clone()),
        guest("demo hard disk", Medium::HardDisk(Source::Demo), demo),
        guest(
            "memtest86+ begins",
            Medium::Cdrom(memtest()),
            one(&memtest_begins),
        ),
        guest(
            "GRUB CD",
            Medium::Cdrom(grub("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")),
            one(&grub_steps()),
        ),
        guest(
            "GRUB hard disk",
            Medium::HardDisk(Source::Package(GRUB_DISK)),
            one(&grub_steps()),
        ),
        Guest {
            rate: SLOW_RATE,
            ..guest(
                "GRUB floppy",
                Medium::Floppy(grub("/usr/lib/grub-rescue/grub-rescue-floppy.img")),
                one(&grub_steps()),
            )
        },
        guest(
            "FreeDOS prompt",
            Medium::Floppy(Source::Image("freedos-1440k.img")),
            dos_prompt.clone(),
        ),
        Guest {
            rate: SLOW_RATE,
            ..guest(
                "ELKS",
                Medium::Floppy(Source::Image("elks-1440k.img")),
                elks,
            )
        },
    ];
    all.push(Guest {
        memory: "128M",
        limit_insns: "20G",
        quick: false,
        ..guest(
            "Linux i386 powers off",
            Medium::Kernel(linux_i386(), RamDisk::I386),
            vec![linux_steps()],
        )
    });
    let amd64 = |name, medium, start: &[Step]| Guest {
        memory: "256M",
        limit_insns: "40G",
        quick: false,
        ..guest(name, medium, vec![init_steps(start, &linux::SCRIPT_SENDS)])
    };
    for (name, kernel, ram_disk, sends) in LINUX_TESTS {
        all.push(Guest {
            memory: "512M",
            limit_insns: "60G",
            firmware: &[OURS],
            quick: false,
            ..guest(
                name,
                Medium::Kernel(kernel, ram_disk),
                vec![init_steps(&[], sends)],
            )
        });
    }
    all.push(Guest {
        firmware: &[OURS],
        quick: true,
        ..amd64(
            "Linux amd64 with busybox",
            Medium::Kernel(linux_amd64(), RamDisk::Busybox),
            &[],
        )
    });
    all.push(amd64(
        "Linux amd64 by SYSLINUX",
        Medium::SyslinuxDisk(linux_amd64(), RamDisk::Busybox),
        &[],
    ));
    all.push(amd64(
        "Linux amd64 by GRUB",
        Medium::GrubDisk(linux_amd64(), RamDisk::Busybox),
        &grub_starts_linux(),
    ));
    let at_work = |name, medium, drive| Guest {
        rate: SLOW_RATE,
        files_change: true,
        ..guest(name, medium, dos::sessions(drive))
    };
    for (name, image) in DOS_DISKETTES {
        all.push(Guest {
            firmware: &[BOCHS],
            rate: SLOW_RATE,
            ..guest(
                name,
                Medium::Floppy(Source::Image(image)),
                dos_prompt.clone(),
            )
        });
        all.push(at_work(name, Medium::Floppy(Source::Image(image)), 'A'));
    }
    for (name, layout) in DOS_DISKS {
        let medium = Medium::DosDisk(layout, Source::Image("freedos-1440k.img"));
        all.push(at_work(name, medium, 'C'));
    }
    all
}

/// Every file of a package that the guests need, or the quick ones.
pub fn package_files(quick_only: bool) -> Vec<PackageFile> {
    let mut guests = guests();
    guests.retain(|g| g.quick || !quick_only);
    let images = guests.iter().filter_map(|g| match g.medium.source() {
        Source::Package(file) => Some(file),
        Source::Image(_) | Source::Demo => None,
    });
    let roms = guests
        .iter()
        .flat_map(|g| g.firmware)
        .flat_map(|f| f.roms)
        .map(|(_, file)| *file);
    let mut files: Vec<PackageFile> = Vec::new();
    let ram_disks = guests.iter().filter_map(|g| g.medium.ram_disk());
    let others = disk::PROGRAMS
        .into_iter()
        .chain([linux_disk::SYSLINUX])
        .chain(ram_disks.flat_map(RamDisk::files));
    for file in images.chain(roms).chain(others) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_have_names_of_their_own_and_something_to_show() {
        let guests = guests();
        for (i, guest) in guests.iter().enumerate() {
            let rows_before = guests[..i].iter().filter(|g| g.name == guest.name);
            let firmware_before: Vec<_> = rows_before.flat_map(|g| g.firmware).collect();
            assert!(!guest.firmware.is_empty());
            let twice = guest.firmware.iter().any(|f| firmware_before.contains(&f));
            assert!(!twice, "{}", guest.name);
            for session in &guest.sessions {
                assert!(
                    matches!(session.last(), Some(Expect(_) | PowerOff)),
                    "{}",
                    guest.name
                );
            }
        }
    }

    #[test]
    fn partitions_lie_inside_their_disks() {
        for (name, l) in DOS_DISKS {
            assert!(l.start_sector + l.partition_sectors <= l.sectors, "{name}");
            // mkfs.fat counts in KiB.
            assert_eq!(l.partition_sectors % 2, 0, "{name}");
        }
    }
}
