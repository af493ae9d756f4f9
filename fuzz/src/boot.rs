//! Media that our BIOS boots from, with damaged structures: whatever its code makes of them, the machine holds.

use crate::{Target, hostile, pc};
use emu_core::testkit::Rng;
use machine::boards::{self, Hosts};
use machine::spec::{BootDevice, MachineSpec};
use machine::{Stop, Until};

pub const EL_TORITO: Target = Target {
    name: "boot/el_torito",
    about: "CDs with damaged volume descriptors and boot catalogues under our BIOS; steps are CDs",
    steps: 1,
    play: el_torito,
};

pub const BOOT_SECTOR: Target = Target {
    name: "boot/sector",
    about: "floppies and hard disks with damaged boot sectors under our BIOS; steps are disks",
    steps: 1,
    play: boot_sector,
};

/// Enough for POST and the boot attempt.
const INSNS: u64 = 60_000_000;

fn boot(spec: &MachineSpec) {
    let mut m = boards::build(spec, Hosts::default()).expect("a machine");
    for _ in 0..10_000 {
        match m.run(Until::insns(INSNS), None) {
            Stop::Fault(fault) => panic!("{fault}"),
            Stop::Frame | Stop::Kicked => {}
            _ => break,
        }
    }
}

/// A CD with a boot record, a catalogue of several entries, and a boot image (El Torito 1.0, sections 2 and 3).
fn disc(rng: &mut Rng) -> Vec<u8> {
    const SECTOR: usize = 2048;
    let mut iso = vec![0; 40 * SECTOR];
    let primary = 16 * SECTOR;
    iso[primary..primary + 7].copy_from_slice(b"\x01CD001\x01");
    let record = 17 * SECTOR;
    iso[record..record + 7].copy_from_slice(b"\x00CD001\x01");
    iso[record + 7..record + 30].copy_from_slice(b"EL TORITO SPECIFICATION");
    iso[record + 0x47..record + 0x4B].copy_from_slice(&19u32.to_le_bytes());
    let end = 18 * SECTOR;
    iso[end..end + 7].copy_from_slice(b"\xFFCD001\x01");
    let catalogue = 19 * SECTOR;
    // Validation entry: its words add up to 0.
    iso[catalogue] = 1;
    iso[catalogue + 0x1E..catalogue + 0x20].copy_from_slice(&[0x55, 0xAA]);
    iso[catalogue + 0x1C..catalogue + 0x1E].copy_from_slice(&0x55AAu16.to_le_bytes());
    // Default entry: bootable, medium, segment, type, count, start.
    let medium = rng.below(5) as u8;
    let entry = catalogue + 0x20;
    iso[entry] = 0x88;
    iso[entry + 1] = medium;
    iso[entry + 6..entry + 8].copy_from_slice(&4u16.to_le_bytes());
    iso[entry + 8..entry + 12].copy_from_slice(&20u32.to_le_bytes());
    // A section header and its entries.
    iso[catalogue + 0x40] = 0x91;
    iso[catalogue + 0x42] = 2;
    iso[catalogue + 0x60] = 0x88;
    iso[catalogue + 0x68] = 21;
    // The image: a boot sector with a partition table, which reads a sector and stops.
    let image = 20 * SECTOR;
    let code = [
        0xB8, 0x01, 0x02, 0xB9, 0x01, 0x00, 0x31, 0xDB, 0xCD, 0x13, 0xB8, 0x01, 0x4B, 0xCD, 0x13,
        0xF4, 0xEB, 0xFD,
    ];
    iso[image..image + code.len()].copy_from_slice(&code);
    iso[image + 446 + 4] = 6;
    iso[image + 510..image + 512].copy_from_slice(&[0x55, 0xAA]);
    let mut damaged: Vec<u8> = iso[record..catalogue + 0x100].to_vec();
    let at = [0, 2 * SECTOR][rng.below(2) as usize];
    let mut piece = damaged.split_off(at);
    let mut field = piece.split_off(0x60.min(piece.len()));
    hostile::damage(&mut piece, rng);
    if rng.below(4) == 0 {
        hostile::damage(&mut field, rng);
    }
    damaged.append(&mut piece);
    damaged.append(&mut field);
    let room = iso.len() - record;
    damaged.truncate(room);
    iso[record..record + damaged.len()].copy_from_slice(&damaged);
    if rng.below(6) == 0 {
        iso.truncate(17 * SECTOR + rng.below(4 * SECTOR as u64) as usize);
    }
    iso
}

fn el_torito(rng: &mut Rng, _steps: u64) {
    let path = pc::image("boot.iso", &disc(rng));
    boot(&MachineSpec {
        memory_bytes: 1 << 20,
        cdrom: Some(pc::medium(path)),
        boot: vec![BootDevice::Cdrom],
        ..MachineSpec::default()
    });
}

fn boot_sector(rng: &mut Rng, _steps: u64) {
    let floppy = rng.below(2) == 0;
    let mut bytes = vec![0; 512];
    hostile::fill(&mut bytes[64..446], rng);
    bytes[..3].copy_from_slice(&[0xEB, 0x3C, 0x90]);
    bytes[446..462]
        .copy_from_slice(&[0x80, 1, 1, 0, 6, 15, 63, 100, 63, 0, 0, 0, 0, 0x40, 0x1F, 0]);
    hostile::damage(&mut bytes, rng);
    bytes.resize(512, 0);
    bytes[510..].copy_from_slice(&[0x55, 0xAA]);
    bytes.resize(if floppy { 1440 << 10 } else { 4 << 20 }, 0x90);
    let path = pc::image("boot.img", &bytes);
    let mut spec = MachineSpec {
        memory_bytes: 1 << 20,
        ..MachineSpec::default()
    };
    if floppy {
        spec.floppies[0] = Some(pc::medium(path));
    } else {
        spec.disks.push(pc::medium(path));
    }
    boot(&spec);
}
