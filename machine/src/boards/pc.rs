//! The board `pc`: i440FX and PIIX3, with the PIIX4's power management.
//!
//! | IRQ | | IRQ | |
//! |---|---|---|---|
//! | 0 | 8254 counter 0 | 8 | MC146818 |
//! | 1 | keyboard | 9 | power management (SCI) |
//! | 2 | cascade | 12 | mouse |
//! | 3 | COM2, COM4 | 13 | coprocessor |
//! | 4 | COM1, COM3 | 14 | IDE channel 0 |
//! | 6 | floppy | 15 | IDE channel 1 |
//! | 7 | printer | | |
//!
//! With a CPU that has a local APIC there is an 82093AA too, and the 8259As' INTR leads to LINT0 and to its pin 0. Each
//! IRQ leads to both kinds of controllers: IRQ 0 to pin 2, the others to the pin of their number. Which of the two is
//! heard is software's choice. NMIs come through LINT1.
//!
//! DMA channel 2 is the floppy's. PCI: 00.0 i440FX, 01.0 PIIX3, 01.1 IDE, 01.3 power management, 02.0 VGA. A slot's
//! INTA# to INTD# lead to PIRQ (slot + pin - 1) & 3.

use super::{BuildError, Hosts, cmos, roms};
use crate::board::Board;
use crate::builder::BoardBuilder;
use crate::linux::Linux;
use crate::media::DriveSlot;
use crate::snapshot::MediaIdentity;
use crate::spec::{BootDevice, MachineSpec};
use bios::acpi;
use chipset::ata::{self, Unit};
use chipset::bochs_shutdown::BochsShutdown;
use chipset::coprocessor_error::{self, CoprocessorError};
use chipset::debug_exit::DebugExit;
use chipset::debugcon::Debugcon;
use chipset::flash_rom::FlashRom;
use chipset::fw_cfg::{Contents, ContentsError, FwCfg, spec as fw_cfg};
use chipset::i440fx::I440fx;
use chipset::i8042::{self, I8042};
use chipset::i8237::I8237Pair;
use chipset::i8254::{self, I8254};
use chipset::i8259::{self, I8259};
use chipset::i82077aa::{self, DriveType, Geometry, HostMode, I82077aa};
use chipset::i82093aa::I82093aa;
use chipset::local_apic::{self, LocalApicUnit};
use chipset::lpt::{self, Lpt};
use chipset::mc146818::{self, Mc146818};
use chipset::piix3::{self, Piix3};
use chipset::piix3_ide::Piix3Ide;
use chipset::piix4_pm::{self, Piix4Pm};
use chipset::port61::{self, Port61};
use chipset::port92::{self, Port92};
use chipset::uart16550::{self, Uart16550};
use chipset::vga::{Slot, Vga};
use emu_core::DeviceId;
use emu_core::backend::{CpuId, CpuPin};
use emu_core::host::{BlockBackend, CharBackend, SECTOR_BYTES};
use emu_core::ram::Ram;
use emu_core::time::Frequency;
use emu_core::wire::{Line, NetId, Sink};
use std::sync::{Arc, Mutex, PoisonError};

const CPU: CpuId = CpuId(0);
/// The VGA's memory: enough for every mode of the DISPI interface that the BIOS lists.
const VRAM_BYTES: usize = 16 << 20;
/// The drive that stands empty.
const FLOPPY_DRIVE: DriveType = DriveType::Mb1_44;

/// Where the I/O APIC's registers stand (MultiProcessor Specification 1.4, section 3.6.5).
const IO_APIC_BASE: u64 = 0xFEC0_0000;
/// The ID that firmware gives it: the CPU's local APIC has 0.
const IO_APIC_ID: u8 = 1;

/// The host bridge's subsystem vendor and ID: by these SeaBIOS knows that there is a fw_cfg device.
const SUBSYSTEM: (u16, u16) = (0x1AF4, 0x1100);
/// COM1 to COM4: first port and IRQ.
const SERIAL_PORTS: [(u16, usize); 4] = [(0x3F8, 4), (0x2F8, 3), (0x3E8, 4), (0x2E8, 3)];
/// LPT1's.
const PRINTER_PORT: (u16, usize) = (0x378, 7);

/// The other end of a serial cable that leads nowhere.
struct Nobody;

impl CharBackend for Nobody {
    fn put(&mut self, _byte: u8) {}
}

/// One console behind two ports.
#[derive(Clone)]
struct SharedConsole(Arc<Mutex<Box<dyn CharBackend>>>);

impl CharBackend for SharedConsole {
    fn put(&mut self, byte: u8) {
        let mut console = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        console.put(byte);
    }
}

/// The interrupt nets, and the lines that share them.
struct Irqs {
    nets: [NetId; 16],
}

impl Irqs {
    fn line(&self, b: &mut BoardBuilder, n: usize) -> Line {
        b.line(self.nets[n])
    }
}

/// Builds the board and powers it on.
pub fn build(
    spec: &MachineSpec,
    local_apic: Option<local_apic::Config>,
    has_smm: bool,
    mut hosts: Hosts,
) -> Result<(Board, Vec<MediaIdentity>), BuildError> {
    let mut b = BoardBuilder::default();
    let dram = Ram::new("dram", spec.memory_bytes as usize)?;
    fill_with_noise(&dram, spec.seed);
    b.block(&dram);

    // Interrupts. The controllers come first, so that their ids are known to every wire.
    let (intr, nmi) = (b.net("INTR"), b.net("NMI"));
    let smi = b.net("SMI#");
    b.connect(smi, Sink::Cpu(CPU, CpuPin::Smi));
    let io_apic = match local_apic {
        Some(config) => Some(add_apics(&mut b, config, [intr, nmi, smi])),
        None => {
            b.connect(intr, Sink::Cpu(CPU, CpuPin::Intr));
            b.connect(nmi, Sink::Cpu(CPU, CpuPin::Nmi));
            None
        }
    };
    let intr = b.line(intr);
    let master_id = b.next_id();
    let cascade = b.wire("IRQ2", Sink::Device(master_id, 2));
    let (config, wiring) = (i8259::Config::MASTER, i8259::Wiring { int: intr });
    let master = b.add("i8259-master", I8259::new(wiring, config));
    let (config, wiring) = (i8259::Config::SLAVE, i8259::Wiring { int: cascade });
    let slave = b.add("i8259-slave", I8259::new(wiring, config));
    b.pic_master(master);
    b.pic_slave(2, slave);
    let nets = std::array::from_fn(|n| {
        let net = b.net(&format!("IRQ{n}"));
        match n {
            2 => {}
            0..8 => b.connect(net, Sink::Device(master, n as u16)),
            _ => b.connect(net, Sink::Device(slave, n as u16 - 8)),
        }
        if let Some(io_apic) = io_apic {
            match n {
                0 => b.connect(net, Sink::Device(io_apic, 2)),
                2 => {}
                _ => b.connect(net, Sink::Device(io_apic, n as u16)),
            }
        }
        net
    });
    let irqs = Irqs { nets };

    // The chipset.
    let (vendor, id) = SUBSYSTEM;
    let host_bridge = I440fx::new(dram.clone(), I440fx::PCI_HOLE).with_subsystem(vendor, id);
    let host_bridge = b.add("i440fx", host_bridge);
    b.pci(0, 0, host_bridge);
    let apmc = b.net("APMC");
    let wiring = piix3::Wiring {
        isa_irqs: std::array::from_fn(|n| irqs.line(&mut b, n)),
        smi: b.line(smi),
        apmc: b.line(apmc),
    };
    let south = b.add("piix3", Piix3::new(wiring));
    b.pci(1, 0, south);
    let wiring = piix4_pm::Wiring {
        sci: irqs.line(&mut b, 9),
        smi: b.line(smi),
        smbus: irqs.line(&mut b, 9),
    };
    let power = Piix4Pm::new(wiring);
    let power = if has_smm {
        power.with_smi_enabled()
    } else {
        power.with_smm_claimed()
    };
    let power = b.add("piix4-pm", power);
    b.pci(1, 3, power);
    b.host_input(power);
    b.connect(apmc, Sink::Device(power, piix4_pm::pin::APMC));
    b.connect(irqs.nets[8], Sink::Device(power, piix4_pm::pin::RTC));

    // DMA.
    let dma = b.add("i8237", I8237Pair::new());
    b.dma_controller(dma);

    // Firmware.
    let image = roms::bios(&spec.bios)?;
    let rom = FlashRom::new(&image).map_err(|e| BuildError::Firmware(e.to_string()))?;
    b.add("bios", rom);
    let mut media = Vec::new();
    let broken = |e: ContentsError| BuildError::Firmware(e.to_string());
    let mut contents = Contents::new(spec.memory_bytes, 1)
        .boot_menu(spec.boot_menu)
        .item(fw_cfg::ITEM_IRQ0_OVERRIDE, 1u32.to_le_bytes());
    if let Some(linux) = &spec.linux {
        let files = Linux::open(linux, spec.memory_bytes)?;
        media.extend(files.identities(linux));
        contents = files.offer(contents).map_err(broken)?;
    }
    for file in acpi::files(&described(io_apic.is_some())) {
        contents = contents.file(file.name, file.bytes).map_err(broken)?;
    }
    let low_end = spec.memory_bytes.min(I440fx::PCI_HOLE);
    let e820 = acpi::e820(low_end, spec.memory_bytes - low_end);
    contents = contents.file("etc/e820", e820).map_err(broken)?;
    let fw_cfg = FwCfg::new(contents).map_err(broken)?;
    b.add("fw_cfg", fw_cfg);
    let vga_rom = Ram::with_contents("vgabios", &roms::vgabios(&spec.vgabios)?)?;
    let vram = Ram::new("vram", VRAM_BYTES)?;
    b.block(&vram);
    let vga = Vga::new(Slot::PciBootDisplay, vram, Some(vga_rom), Line::UNCONNECTED);
    let vga = b.add("vga", vga);
    b.pci(2, 0, vga);
    b.display(vga);

    // The coprocessor's errors.
    let wiring = coprocessor_error::Wiring {
        irq: irqs.line(&mut b, 13),
        ignne: b.wire("IGNNE#", Sink::Cpu(CPU, CpuPin::Ignne)),
    };
    let errors = b.add("coprocessor-error", CoprocessorError::new(wiring));
    let ferr = b.wire("FERR#", Sink::Device(errors, coprocessor_error::FERR));
    b.ferr(ferr);

    // Timers and the clock.
    let (timer_id, out2) = (b.next_id(), b.net("timer 2 OUT"));
    let wiring = i8254::Wiring {
        out: [irqs.line(&mut b, 0), Line::UNCONNECTED, b.line(out2)],
    };
    b.add("i8254", I8254::new(wiring, i8254::Config::PC));
    let wiring = port61::Wiring {
        timer_2_gate: b.wire("timer 2 GATE", Sink::Device(timer_id, 2)),
        speaker: Line::UNCONNECTED,
        nmi: b.line(nmi),
    };
    let port_b = b.add("port61", Port61::new(wiring));
    b.connect(out2, Sink::Device(port_b, port61::PIN_TIMER_2_OUT));
    let wiring = mc146818::Wiring {
        irq: irqs.line(&mut b, 8),
        nmi_mask: b.wire("NMI mask", Sink::Device(port_b, port61::PIN_NMI_MASK)),
    };
    // The floppy disks decide which drives there are.
    let mut floppy_disks = [None, None];
    for (n, source) in spec.floppies.iter().enumerate() {
        if let Some(source) = source {
            let drive = format!("floppy drive {}", ["A:", "B:"][n]);
            floppy_disks[n] = Some(super::open(source, DriveSlot::Floppy, &drive, &mut media)?);
        }
    }
    let floppies = [
        Some(floppy_drive(floppy_disks[0].as_deref())),
        floppy_disks[1]
            .as_deref()
            .map(|disk| floppy_drive(Some(disk))),
    ];
    let mut boot = spec.boot.clone();
    if spec.linux.is_some() {
        // Its loader is an expansion ROM.
        if boot.is_empty() {
            boot = vec![BootDevice::Floppy, BootDevice::Disk];
        }
        boot.retain(|d| *d != BootDevice::Network);
        boot.insert(0, BootDevice::Network);
    }
    let setup = cmos::Setup {
        memory_bytes: spec.memory_bytes,
        pci_hole: I440fx::PCI_HOLE,
        floppies,
        disks: spec.disks.len(),
        boot: &boot,
    };
    let config = mc146818::Config {
        start_unix_seconds: spec.rtc_start.0,
        cmos: cmos::bytes(&setup),
    };
    b.add("mc146818", Mc146818::new(wiring, &config));

    // Keyboard and mouse.
    let a20 = b.net("A20");
    b.connect(a20, Sink::Cpu(CPU, CpuPin::A20));
    let wiring = i8042::Wiring {
        keyboard_irq: irqs.line(&mut b, 1),
        mouse_irq: irqs.line(&mut b, 12),
        a20: b.line(a20),
    };
    let keyboard = b.add("i8042", I8042::new(wiring, i8042::Config::default()));
    b.host_input(keyboard);

    let wiring = port92::Wiring { a20: b.line(a20) };
    b.add("port92", Port92::new(wiring));

    // Floppy drives.
    let config = i82077aa::Config {
        base: 0x3F0,
        mode: HostMode::At,
        irq: irqs.line(&mut b, 6),
        drq: b.wire("DREQ2", Sink::Device(dma, 2)),
        drives: setup.floppies,
    };
    let floppy = b.add("i82077aa", I82077aa::new(config, floppy_disks));
    b.host_input(floppy);
    b.dma_channel(2, floppy);

    // IDE: hard disks take the positions in order, but the second channel's master is the CD-ROM drive's.
    let mut disks = Vec::new();
    for (n, source) in spec.disks.iter().enumerate() {
        let medium = super::open(
            source,
            DriveSlot::HardDisk,
            &format!("hard disk {n}"),
            &mut media,
        )?;
        let identity = ata::Identity::new("BOXWOOD HARDDISK", &format!("BX{n:08}"));
        disks.push(Some(Unit::disk(medium, identity)));
    }
    disks.resize_with(3, || None);
    let disc = match &spec.cdrom {
        Some(source) => Some(super::open(
            source,
            DriveSlot::Cdrom,
            "the CD-ROM drive",
            &mut media,
        )?),
        None => None,
    };
    let cdrom = Unit::cdrom(disc, ata::Identity::new("BOXWOOD CD-ROM", "BXCD0001"));
    let (third, second, first) = (
        disks.pop().flatten(),
        disks.pop().flatten(),
        disks.pop().flatten(),
    );
    let ide_irqs = [irqs.line(&mut b, 14), irqs.line(&mut b, 15)];
    let ide = Piix3Ide::new(ide_irqs, [first, second], [Some(cdrom), third]);
    let ide = b.add("piix3-ide", ide);
    b.pci(1, 1, ide);
    b.host_input(ide);

    // Serial ports share two interrupts; the printer port has no printer.
    for (n, (base, irq)) in SERIAL_PORTS.into_iter().enumerate() {
        let wiring = uart16550::Wiring {
            irq: irqs.line(&mut b, irq),
        };
        let config = uart16550::Config {
            base,
            connected: n < hosts.serial.len(),
        };
        let other_end = match hosts.serial.get_mut(n) {
            Some(end) => std::mem::replace(end, Box::new(Nobody)),
            None => Box::new(Nobody),
        };
        let uart = Uart16550::new(wiring, config, other_end);
        let uart = b.add(&format!("com{}", n + 1), uart);
        b.serial_port(uart);
    }
    let wiring = lpt::Wiring {
        irq: irqs.line(&mut b, PRINTER_PORT.1),
    };
    let config = lpt::Config {
        base: PRINTER_PORT.0,
        bidirectional: true,
    };
    b.add("lpt1", Lpt::new(wiring, config, None));

    // Ports for debugging.
    if let Some(console) = hosts.debugcon.take() {
        let console = SharedConsole(Arc::new(Mutex::new(console)));
        for port in [0xE9, 0x402] {
            let name = format!("debugcon-{port:x}");
            b.add(&name, Debugcon::new(port, Box::new(console.clone())));
        }
    }
    if let Some(port) = spec.debug_exit {
        b.add("debug-exit", DebugExit::new(port));
    }
    b.add("bochs-shutdown", BochsShutdown::new());

    let board = b.finish(Frequency::hz(spec.insns_per_second))?;
    Ok((board, media))
}

/// What the ACPI tables tell of the board.
fn described(apics: bool) -> acpi::Board {
    let port = |(base, irq): (u16, usize)| acpi::IsaPort {
        base,
        irq: irq as u8,
    };
    acpi::Board {
        io_apic: apics.then_some(acpi::IoApic {
            id: IO_APIC_ID,
            address: IO_APIC_BASE as u32,
        }),
        pci_memory: I440fx::PCI_HOLE as u32,
        serial_ports: SERIAL_PORTS.map(port).to_vec(),
        printer_port: port(PRINTER_PORT),
    }
}

/// Puts the CPU's local APIC and the I/O APIC on the board; `nets` are INTR, NMI and SMI#.
fn add_apics(b: &mut BoardBuilder, config: local_apic::Config, nets: [NetId; 3]) -> DeviceId {
    let [intr, nmi, smi] = nets;
    let wiring = local_apic::Wiring {
        intr: b.wire("CPU 0 INTR", Sink::Cpu(CPU, CpuPin::Intr)),
        nmi: b.wire("CPU 0 NMI", Sink::Cpu(CPU, CpuPin::Nmi)),
        smi: b.line(smi),
        init: b.wire("CPU 0 INIT", Sink::Cpu(CPU, CpuPin::Init)),
    };
    let unit = b.add("local-apic", LocalApicUnit::new(wiring, config));
    b.local_apic(unit);
    let overflow = Sink::Device(unit, local_apic::pin::PERFORMANCE);
    let overflow = b.wire("CPU 0 counter overflow", overflow);
    b.counter_overflow(overflow);
    b.connect(intr, Sink::Device(unit, local_apic::pin::LINT0));
    b.connect(nmi, Sink::Device(unit, local_apic::pin::LINT1));
    let io_apic = b.add("i82093aa", I82093aa::new(IO_APIC_BASE));
    b.io_apic(io_apic);
    b.connect(intr, Sink::Device(io_apic, 0));
    io_apic
}

/// The drive in which such a disk belongs. INT 13h AH=08h tells of the drive, and boot loaders take that for the
/// disk's geometry: so it is no larger than the disk needs.
fn floppy_drive(disk: Option<&dyn BlockBackend>) -> DriveType {
    disk.and_then(|d| Geometry::for_bytes(d.sectors().saturating_mul(SECTOR_BYTES as u64)))
        .map_or(FLOPPY_DRIVE, |g| DriveType::for_geometry(&g))
}

/// Fills RAM with a pattern that the seed alone decides; 0 leaves zeros.
fn fill_with_noise(dram: &Ram, seed: u64) {
    if seed == 0 {
        return;
    }
    let mut x = seed;
    let mut page = [0; 4096];
    for n in 0..dram.pages() {
        for word in page.chunks_exact_mut(8) {
            // xorshift64*: a full-period generator of 64 bits.
            x ^= x >> 12;
            x ^= x << 25;
            x ^= x >> 27;
            word.copy_from_slice(&x.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
        }
        dram.write(n * 4096, &page);
    }
}
