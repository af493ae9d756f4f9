//! The whole board `pc` with media in its drives; the CPU does not run, its accesses are made up.

use crate::{Target, hostile};
use emu_core::backend::{CpuId, SystemBus};
use emu_core::bus::{Gpa, Width};
use emu_core::host::{Frame, HostEvent, KeyCode, MouseEvent};
use emu_core::testkit::Rng;
use machine::boards::{self, Hosts};
use machine::spec::{MachineSpec, MediumSource};
use machine::{Machine, Stop, Until};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

const CPU: CpuId = CpuId(0);

pub const PC: Target = Target {
    name: "pc",
    about: "accesses to all ports and all of the memory map of the board pc, with time passing",
    steps: 10_000,
    play,
};

/// A folder for image files; removed with its thread.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("boxwood-fuzz-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for image files");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The files are of no use to anybody; there is nobody to tell that they stay.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static FOLDER: Folder = Folder::new();
}

/// Writes an image file.
pub fn image(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.0.join(name));
    std::fs::write(&path, bytes).expect("an image file");
    path
}

/// An image whose changes are forgotten.
pub fn medium(path: PathBuf) -> MediumSource {
    MediumSource::File {
        path,
        read_only: false,
        snapshot: true,
    }
}

/// A machine of one megabyte with a disk in each drive.
fn machine() -> Machine {
    thread_local! {
        static IMAGES: [PathBuf; 3] = {
            let mut iso = vec![0x11; 400 << 10];
            iso[0x8000..0x8006].copy_from_slice(b"\x01CD001");
            [
                image("pc-floppy.img", &vec![0xF6; 720 << 10]),
                image("pc-disk.img", &vec![0x77; 4 << 20]),
                image("pc-disc.iso", &iso),
            ]
        };
    }
    let [floppy, disk, disc] = IMAGES.with(Clone::clone);
    let spec = MachineSpec {
        memory_bytes: 1 << 20,
        floppies: [Some(MediumSource::Demo), Some(medium(floppy))],
        disks: vec![medium(disk)],
        cdrom: Some(medium(disc)),
        debug_exit: Some(0xF4),
        ..MachineSpec::default()
    };
    boards::build(&spec, Hosts::default()).expect("a machine")
}

/// Ports where something is.
const PORTS: &[(u16, u64)] = &[
    (0x00, 0x10),
    (0x20, 2),
    (0x40, 4),
    (0x60, 5),
    (0x70, 4),
    (0x80, 0x10),
    (0x92, 1),
    (0xA0, 2),
    (0xB2, 2),
    (0xC0, 0x20),
    (0xE9, 1),
    (0xF0, 2),
    (0xF4, 1),
    (0x170, 8),
    (0x1F0, 8),
    (0x1CE, 3),
    (0x278, 8),
    (0x2E8, 8),
    (0x2F8, 8),
    (0x376, 1),
    (0x378, 8),
    (0x3B0, 0x30),
    (0x3E8, 8),
    (0x3F0, 0x10),
    (0x402, 1),
    (0x4D0, 2),
    (0x510, 12),
    (0x8900, 1),
    (0xB000, 0x40),
    (0xB100, 0x10),
    (0xC000, 0x10),
    (0xCF8, 8),
];

fn port(rng: &mut Rng) -> u16 {
    if rng.below(16) == 0 {
        return rng.next_u64() as u16;
    }
    let (base, len) = PORTS[rng.below(PORTS.len() as u64) as usize];
    base + rng.below(len) as u16
}

fn address(rng: &mut Rng) -> Gpa {
    Gpa(match rng.below(8) {
        0 if rng.below(2) == 0 => 0xFEE0_0000 + 0x10 * rng.below(0x40),
        0 if rng.below(2) == 0 => 0xFEC0_0000 + 0x10 * rng.below(2),
        0 => rng.next_u64(),
        1 => rng.next_u64() & 0xFFFF_FFFF,
        2 => 0xFFF0_0000 + rng.below(1 << 20),
        3 => 0xE000_0000 + rng.below(16 << 20),
        4..7 => 0xA_0000 + rng.below(0x6_0000),
        _ => rng.below(1 << 20),
    })
}

fn play(rng: &mut Rng, steps: u64) {
    let mut machine = machine();
    for _ in 0..steps {
        step(&mut machine, rng);
    }
    let mut frame = Frame::default();
    machine.scanout(&mut frame);
    machine.screen_text();
    // The CPU runs a little on what is left of the machine; a fault of the board would end its run.
    let until = Until::insns(machine.insns() + 2000);
    if let Stop::Fault(fault) = machine.run(until, None) {
        panic!("{fault}");
    }
}

fn step(machine: &mut Machine, rng: &mut Rng) {
    let width = [Width::Byte, Width::Byte, Width::Word, Width::Dword][rng.below(4) as usize];
    let value = u64::from(hostile::byte(rng)) | rng.next_u64() << 8;
    match rng.below(40) {
        0..12 => {
            let at = port(rng);
            machine.board_mut().port_read(CPU, at, width);
        }
        12..26 => {
            let at = port(rng);
            machine
                .board_mut()
                .port_write(CPU, at, width, value as u32 & width.mask() as u32);
        }
        26..28 => {
            // PCI configuration space of a function that is there.
            let function = [0x0000, 0x0800, 0x0900, 0x0B00, 0x1000][rng.below(5) as usize];
            let select = 0x8000_0000 | function | (value as u32 & 0xFC);
            let board = machine.board_mut();
            board.port_write(CPU, 0xCF8, Width::Dword, select);
            board.port_write(CPU, 0xCFC, width, rng.next_u64() as u32);
            board.port_read(CPU, 0xCFC, width);
        }
        28..31 => {
            let at = address(rng);
            machine
                .board_mut()
                .mmio_read(CPU, at, value & 1 != 0, width);
        }
        31..34 => {
            let at = address(rng);
            machine
                .board_mut()
                .mmio_write(CPU, at, value & 1 != 0, width, value & width.mask());
        }
        34 => {
            machine.board_mut().acknowledge(CPU);
        }
        35 => {
            let most = 1 << rng.below(16);
            let n = rng.below(most);
            machine.board_mut().advance(n);
        }
        36 => {
            let board = machine.board_mut();
            let port = (value & 3) as usize;
            if board.serial_room(port) > 0 {
                board.serial_receive(port, (value >> 8) as u8);
            }
        }
        37 => {
            let key = KeyCode((value >> 8) as u8);
            let pressed = value & 1 != 0;
            machine.input(HostEvent::Key { key, pressed });
        }
        38 => {
            let (dx, dy) = ((value >> 8) as i32, (value >> 24) as i32);
            machine.input(HostEvent::Mouse(MouseEvent {
                dx,
                dy,
                wheel: (value >> 4) as i8 as i32,
                buttons: value as u8,
            }));
        }
        _ if value & 0xFF00 == 0 => machine.reset(),
        _ => {}
    }
}
