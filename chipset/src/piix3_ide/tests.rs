use super::*;
use crate::ata::{COMMAND_NS, Identity, RESET_NS, SECTOR_NS};
use emu_core::host::{BlockBackend, BlockError, MemoryDisk, SECTOR_BYTES};
use emu_core::testkit::{Bench, conformance};
use std::sync::{Arc, Mutex};

/// A disk that the test can look into; sectors 66 and 67 cannot be read, 77 cannot be written.
#[derive(Clone)]
pub(crate) struct Shared(pub Arc<Mutex<MemoryDisk>>);

pub(crate) const BAD_READ: u64 = 66;
pub(crate) const BAD_WRITE: u64 = 77;

impl Shared {
    pub fn new(sectors: usize, read_only: bool) -> Self {
        let bytes = (0..sectors * SECTOR_BYTES)
            .map(|i| (i / SECTOR_BYTES * 11 + i * 3) as u8)
            .collect();
        Self(Arc::new(Mutex::new(MemoryDisk::new(bytes, read_only))))
    }
    pub fn sectors_at(&self, lba: usize, n: usize) -> Vec<u8> {
        self.0.lock().unwrap().bytes()[lba * 512..(lba + n) * 512].to_vec()
    }
}

impl BlockBackend for Shared {
    fn sectors(&self) -> u64 {
        self.0.lock().unwrap().sectors()
    }
    fn read_only(&self) -> bool {
        self.0.lock().unwrap().read_only()
    }
    fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        if (lba..lba + (buffer.len() / 512) as u64).contains(&BAD_READ) {
            return Err(std::io::Error::other("scratch").into());
        }
        self.0.lock().unwrap().read(lba, buffer)
    }
    fn write(&mut self, lba: u64, data: &[u8]) -> Result<(), BlockError> {
        if (lba..lba + (data.len() / 512) as u64).contains(&BAD_WRITE) {
            return Err(std::io::Error::other("disk full").into());
        }
        self.0.lock().unwrap().write(lba, data)
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
    fn describe(&self) -> String {
        "shared".into()
    }
}

/// A function on a bench with its ports decoded.
pub(crate) struct Rig {
    pub bench: Bench<Piix3Ide>,
    pub irqs: [Line; 2],
}

impl Rig {
    pub fn new(primary: [Option<Unit>; 2], secondary: [Option<Unit>; 2]) -> Self {
        let mut irqs = [Line::UNCONNECTED; 2];
        let bench = Bench::new(|lines| {
            irqs = [lines.line("irq14"), lines.line("irq15")];
            Piix3Ide::new(irqs, primary, secondary)
        });
        let mut rig = Self { bench, irqs };
        rig.config_write(0x40, Width::Dword, 0x8000_8000);
        rig.config_write(0x20, Width::Dword, 0xC001);
        rig.config_write(0x04, Width::Word, 5);
        rig.bench.advance_ns(RESET_NS);
        rig
    }

    pub fn disk(sectors: usize) -> (Self, Shared) {
        let disk = Shared::new(sectors, false);
        (Self::new([Some(unit(&disk)), None], [None, None]), disk)
    }

    pub fn config_write(&mut self, offset: u8, width: Width, value: u32) {
        self.bench
            .with(|d, cx| d.config_write(offset, width, value, cx));
    }
    pub fn config_read(&mut self, offset: u8, width: Width) -> u32 {
        self.bench.with(|d, cx| d.config_read(offset, width, cx))
    }

    /// Address and count of a 28-bit command, device 0.
    pub fn lba28(&mut self, lba: u32, count: u8) {
        self.bench.outb(0x1F6, 0xE0 | (lba >> 24) as u8);
        self.bench.outb(0x1F2, count);
        self.bench.outb(0x1F3, lba as u8);
        self.bench.outb(0x1F4, (lba >> 8) as u8);
        self.bench.outb(0x1F5, (lba >> 16) as u8);
    }

    pub fn command(&mut self, code: u8) {
        self.bench.outb(0x1F7, code);
    }

    /// Waits until BSY falls; gives the status.
    pub fn wait(&mut self) -> u8 {
        for _ in 0..1000 {
            let status = self.bench.inb(0x3F6);
            if status & 0x80 == 0 {
                return status;
            }
            assert!(self.bench.run_to_next_timer(), "BSY for ever");
        }
        panic!("BSY for ever");
    }

    pub fn read_block(&mut self, bytes: usize) -> Vec<u8> {
        (0..bytes / 4)
            .flat_map(|_| self.bench.read(0x1F0, Width::Dword).to_le_bytes())
            .collect()
    }

    pub fn write_block(&mut self, data: &[u8]) {
        for pair in data.chunks_exact(2) {
            let word = u16::from_le_bytes([pair[0], pair[1]]);
            self.bench.write(0x1F0, Width::Word, word.into());
        }
    }

    /// IRQ 14, then the status that acknowledges it.
    pub fn acknowledge(&mut self) -> u8 {
        assert!(self.bench.level(self.irqs[0]), "the device interrupts");
        let status = self.bench.inb(0x1F7);
        assert!(!self.bench.level(self.irqs[0]), "reading status ends that");
        status
    }

    /// A descriptor table at 1000h, and the engine started.
    pub fn start_dma(&mut self, to_memory: bool, regions: &[(u32, u32)]) {
        for (i, (address, bytes)) in regions.iter().enumerate() {
            let last = i + 1 == regions.len();
            let at = 0x1000 + 8 * i as u64;
            self.bench.mem_write(at, Width::Dword, (*address).into());
            let word = (bytes & 0xFFFF) | (u32::from(last) << 31);
            self.bench.mem_write(at + 4, Width::Dword, word.into());
        }
        self.bench.write(0xC004, Width::Dword, 0x1000);
        self.bench.outb(0xC002, 0x06);
        let direction = u8::from(to_memory) << 3;
        self.bench.outb(0xC000, direction);
        self.bench.outb(0xC000, direction | 1);
    }
}

pub(crate) fn unit(disk: &Shared) -> Unit {
    Unit::disk(
        Box::new(disk.clone()),
        Identity::new("BOXWOOD HARDDISK", "BW0001"),
    )
}

/// A back end that keeps nothing, so that two of them never differ.
#[derive(Clone)]
pub(crate) struct Pattern;

impl BlockBackend for Pattern {
    fn sectors(&self) -> u64 {
        100_000
    }
    fn read_only(&self) -> bool {
        false
    }
    fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        buffer.fill(lba as u8);
        Ok(())
    }
    fn write(&mut self, _: u64, _: &[u8]) -> Result<(), BlockError> {
        Ok(())
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
    fn describe(&self) -> String {
        String::new()
    }
}

pub(crate) fn pattern_disk() -> Unit {
    Unit::disk(Box::new(Pattern), Identity::new("PATTERN", "1"))
}

pub(crate) fn pattern_cdrom() -> Unit {
    Unit::cdrom(Some(Box::new(Pattern)), Identity::new("PATTERN CD", "2"))
}

#[test]
fn conforms() {
    conformance(|lines| {
        let irqs = [lines.line("irq14"), lines.line("irq15")];
        Piix3Ide::new(
            irqs,
            [Some(pattern_disk()), Some(pattern_disk())],
            [Some(pattern_cdrom()), None],
        )
    });
}

#[test]
fn random_accesses_with_everything_enabled_never_panic() {
    for seed in 1..15 {
        let mut rng = emu_core::testkit::Rng::new(seed);
        let mut rig = Rig::new(
            [Some(pattern_disk()), None],
            [Some(pattern_cdrom()), Some(pattern_disk())],
        );
        for _ in 0..20_000 {
            let v = rng.next_u64();
            let port = [
                0x1F0, 0x1F1, 0x1F2, 0x1F6, 0x1F7, 0x170, 0x176, 0x3F6, 0xC000, 0xC002,
            ][(v % 10) as usize]
                + (v >> 8 & 3) as u16;
            match v >> 60 {
                0 => rig.bench.advance_ns(v >> 16 & 0xF_FFFF),
                1 => {
                    rig.bench.run_to_next_timer();
                }
                2..=6 => {
                    rig.bench.read(port, Width::Word);
                }
                _ => rig.bench.write(port, Width::Byte, (v >> 32) as u32),
            }
        }
        let saved = rig.bench.save();
        emu_core::snapshot::decode::<State>("piix3_ide", 1, &saved)
            .expect("a state that the controller reached is valid");
    }
}

#[test]
fn identity_and_the_writable_bits_of_configuration_space_are_the_datasheets() {
    let mut rig = Rig::new([None, None], [None, None]);
    assert_eq!(rig.config_read(0x00, Width::Dword), 0x7010_8086);
    assert_eq!(rig.config_read(0x08, Width::Dword), 0x0101_8000);
    assert_eq!(rig.config_read(0x06, Width::Word), 0x0280);
    for (offset, expected) in [
        (0x04, 0x0280_0005),
        (0x0C, 0x0000_F000),
        (0x10, 0),
        (0x20, 0xFFFF_FFF1),
        (0x3C, 0),
        (0x40, 0xF3FF_F3FF),
        (0x44, 0x0000_00FF),
        (0x48, 0),
    ] {
        rig.config_write(offset, Width::Dword, u32::MAX);
        assert_eq!(
            rig.config_read(offset, Width::Dword),
            expected,
            "{offset:02X}h"
        );
    }
}

#[test]
fn each_channel_is_decoded_only_when_its_timing_register_says_so() {
    let (mut rig, _) = Rig::disk(100);
    assert_eq!(rig.bench.inb(0x1F7), 0x50);
    rig.config_write(0x40, Width::Word, 0);
    assert_eq!(rig.bench.inb(0x1F7), 0xFF, "not decoded");
    assert_eq!(
        rig.bench.inb(0x177),
        0x7F,
        "decoded, with nobody on the cable"
    );
    rig.config_write(0x40, Width::Word, 0x8000);
    rig.config_write(0x04, Width::Word, 4);
    assert_eq!(rig.bench.inb(0x1F7), 0xFF);
    assert_eq!(rig.bench.inb(0xC002), 0xFF);
}

#[test]
fn read_dma_scatters_over_the_descriptors_and_ends_with_interrupt_and_not_active() {
    let (mut rig, disk) = Rig::disk(2000);
    rig.start_dma(
        true,
        &[(0x2_0000, 0x600), (0x3_0000, 0x200), (0x4_0000, 0x2800)],
    );
    assert_eq!(rig.bench.inb(0xC002), 0x01);
    rig.lba28(5, 24);
    rig.command(0xC8);
    while !rig.bench.level(rig.irqs[0]) {
        assert!(rig.bench.run_to_next_timer());
    }
    assert_eq!(
        rig.bench.inb(0xC002),
        0x04,
        "interrupt, not active, no error"
    );
    assert_eq!(rig.acknowledge(), 0x50);
    let mut data = vec![0; 24 * 512];
    rig.bench.ram.read(0x2_0000, &mut data[..0x600]);
    rig.bench.ram.read(0x3_0000, &mut data[0x600..0x800]);
    rig.bench.ram.read(0x4_0000, &mut data[0x800..]);
    assert_eq!(data, disk.sectors_at(5, 24));
    rig.bench.outb(0xC002, 0x04);
    assert_eq!(rig.bench.inb(0xC002), 0);
}

#[test]
fn write_dma_ext_of_many_blocks_reaches_the_disk() {
    let (mut rig, disk) = Rig::disk(2000);
    let data: Vec<u8> = (0..300 * 512).map(|i| (i / 512 + i) as u8).collect();
    rig.bench.ram.write(0x10_0000, &data);
    rig.start_dma(
        false,
        &[
            (0x10_0000, 0),
            (0x11_0000, 0),
            (0x12_0000, 300 * 512 - 0x2_0000),
        ],
    );
    rig.bench.outb(0x1F6, 0xE0);
    // 300 = 012Ch sectors from 1000 = 3E8h on.
    for (port, high, low) in [
        (0x1F2, 1, 0x2C),
        (0x1F3, 0, 0xE8),
        (0x1F4, 0, 3),
        (0x1F5, 0, 0),
    ] {
        rig.bench.outb(port, high);
        rig.bench.outb(port, low);
    }
    rig.command(0x35);
    while !rig.bench.level(rig.irqs[0]) {
        assert!(rig.bench.run_to_next_timer());
    }
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(rig.bench.inb(0xC002), 0x04);
    assert_eq!(disk.sectors_at(1000, 300), data);
}

#[test]
fn descriptors_that_are_too_long_leave_active_set() {
    let (mut rig, _) = Rig::disk(2000);
    rig.start_dma(true, &[(0x2_0000, 0x1000)]);
    rig.lba28(0, 2);
    rig.command(0xC8);
    rig.wait();
    assert_eq!(rig.bench.inb(0xC002), 0x05, "interrupt and active");
    rig.bench.outb(0xC000, 0);
    assert_eq!(rig.bench.inb(0xC002), 0x04);
}

#[test]
fn descriptors_that_are_too_short_leave_the_device_waiting() {
    let (mut rig, disk) = Rig::disk(2000);
    rig.start_dma(true, &[(0x2_0000, 0x200)]);
    rig.lba28(0, 2);
    rig.command(0xC8);
    while rig.bench.run_to_next_timer() {}
    assert_eq!(rig.bench.inb(0xC002), 0x00, "neither active nor interrupt");
    assert_eq!(rig.bench.inb(0x3F6), 0x58);
    let mut data = vec![0; 1024];
    rig.bench.ram.read(0x2_0000, &mut data);
    assert_eq!(data[..512], disk.sectors_at(0, 1));
    assert_eq!(data[512..], [0; 512], "nothing past the region");
    // A driver resets the devices.
    rig.bench.outb(0x3F6, 4);
    rig.bench.outb(0x3F6, 0);
    assert_eq!(rig.wait(), 0x50);
}

#[test]
fn without_bus_mastering_or_in_the_wrong_direction_nothing_moves() {
    let (mut rig, disk) = Rig::disk(2000);
    rig.config_write(0x04, Width::Word, 1);
    rig.start_dma(true, &[(0x2_0000, 0x200)]);
    rig.lba28(3, 1);
    rig.command(0xC8);
    while rig.bench.run_to_next_timer() {}
    assert_eq!(rig.bench.inb(0xC002), 0x01);
    rig.config_write(0x04, Width::Word, 5);
    assert_eq!(rig.bench.inb(0xC002), 0x04, "granted, it goes on");
    let mut data = vec![0; 512];
    rig.bench.ram.read(0x2_0000, &mut data);
    assert_eq!(data, disk.sectors_at(3, 1));
    rig.start_dma(false, &[(0x2_0000, 0x200)]);
    rig.command(0xC8);
    while rig.bench.run_to_next_timer() {}
    assert_eq!(rig.bench.inb(0xC002), 0x01, "hangs until it is stopped");
}

#[test]
fn a_transfer_started_after_the_device_asks_goes_on_too() {
    let (mut rig, disk) = Rig::disk(2000);
    rig.lba28(9, 1);
    rig.command(0xC8);
    rig.bench.advance_ns(COMMAND_NS + SECTOR_NS);
    rig.start_dma(true, &[(0x2_0000, 0x200)]);
    assert_eq!(rig.bench.inb(0xC002), 0x04);
    let mut data = vec![0; 512];
    rig.bench.ram.read(0x2_0000, &mut data);
    assert_eq!(data, disk.sectors_at(9, 1));
}

#[test]
fn an_interrupt_disabled_at_the_device_reaches_neither_line_nor_status() {
    let (mut rig, _) = Rig::disk(2000);
    rig.bench.outb(0x3F6, 2);
    rig.start_dma(true, &[(0x2_0000, 0x200)]);
    rig.lba28(9, 1);
    rig.command(0xC8);
    rig.wait();
    assert!(!rig.bench.level(rig.irqs[0]));
    assert_eq!(rig.bench.inb(0xC002), 0x00);
    rig.bench.outb(0x3F6, 0);
    assert!(rig.bench.level(rig.irqs[0]));
}
