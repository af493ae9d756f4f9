//! The 82371SB south bridge (PIIX3), function 0: PCI-to-ISA bridge.
//!
//! **What it is**: Intel 82371SB PCI ISA IDE Xcelerator (PIIX3), order number 290550. Function 0 routes the four PCI
//! interrupts to ISA interrupts, holds the reset control register and the APM ports, and keeps the registers by
//! which firmware sets up the ISA side. The PIIX3's interrupt controllers, timers, DMA controllers and IDE function
//! are chips of their own here.
//!
//! **Ports**: B2h, B3h (APMC, APMS); CF9h (RC). **Wires in**: PIRQA# to PIRQD# (pins 0 to 3; high: asserted).
//! **Wires out**: the ISA interrupts; SMI#; APMC (a pulse for each write to B2h, for a power management function
//! beside it).
//!
//! **Not implemented**
//! - SMIs from IRQs, the EXTSMI# pin and the fast-off timer; STPCLK# and clock scaling; legacy USB.
//! - Motherboard IRQ and DMA routing (MBIRQ0, MBDMA): no device is wired to them. The APIC's and the programmable
//!   chip selects.
//! - The aliases of the PIIX3's ports: of the interrupt controllers at 24h to 3Dh and A4h to BDh, of the timer at 50h
//!   to 53h, of 61h at 63h, 65h and 67h, of the page registers at 90h to 9Fh. They are open bus.
//!
//! **Known inaccuracies**
//! - The chip selects in XBCS, the recovery times and the latency controls keep what is written, without effect: the
//!   BIOS is decoded always, read only.
//! - SMI# is a pulse for each cause, not held until the gate is toggled.

pub mod spec;
#[cfg(test)]
mod tests;

use crate::pci::{Command, ConfigRegisters, ConfigSpace, HEADER_MULTI_FUNCTION, Status};
use emu_core::bus::Decode;
use emu_core::cap::{Inputs, PciFunction, PortAddr, PortIo};
use emu_core::cx::{Cx, ResetKind};
use emu_core::snapshot::Snapshot;
use emu_core::wire::Pin;
use emu_core::{Device, Line, Width};
use serde::{Deserialize, Serialize};
use spec::ResetControl;

const APM: u16 = 0;
const RC: u16 = 1;
/// PIRQA# to PIRQD#.
const PIRQS: usize = 4;

/// Where the chip's outputs lead.
#[derive(Clone, Debug)]
pub struct Wiring {
    /// The ISA interrupts, by number.
    pub isa_irqs: [Line; 16],
    /// SMI# to the CPU.
    pub smi: Line,
    /// A pulse for each write to APMC.
    pub apmc: Line,
}

/// What a guest can change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    config: ConfigRegisters,
    pirq: [bool; PIRQS],
    apmc: u8,
    apms: u8,
    reset_control: u8,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The ISA bridge.
#[derive(Debug)]
pub struct Piix3 {
    wiring: Wiring,
    space: ConfigSpace,
    state: State,
}

impl Piix3 {
    /// A bridge wired so.
    pub fn new(wiring: Wiring) -> Self {
        let always = Command::IO_SPACE | Command::MEMORY_SPACE | Command::BUS_MASTER;
        let space = ConfigSpace::new(spec::VENDOR, spec::DEVICE)
            .class(0x06, 0x01, 0x00)
            .header_type(HEADER_MULTI_FUNCTION)
            .value(crate::pci::COMMAND, &always.bits().to_le_bytes())
            .command(Command::SPECIAL_CYCLES)
            .status(Status::DEVSEL_MEDIUM)
            .value(spec::IORT, &[0x4D])
            .writable(spec::IORT, &[0xFF])
            .value(
                spec::XBCS,
                &(spec::XBusSelect::RTC | spec::XBusSelect::KEYBOARD)
                    .bits()
                    .to_le_bytes(),
            )
            .writable(spec::XBCS, &spec::XBusSelect::all().bits().to_le_bytes())
            .value(spec::PIRQRC, &[spec::ROUTE_OFF; PIRQS])
            .writable(spec::PIRQRC, &[spec::PIRQRC_MASK; PIRQS])
            .value(spec::TOM, &[0x02])
            .writable(spec::TOM, &[spec::TOM_MASK])
            .writable(spec::MSTAT, &spec::MSTAT_MASK.to_le_bytes())
            .value(spec::MBIRQ0, &[spec::ROUTE_OFF])
            .writable(spec::MBIRQ0, &[spec::MBIRQ_MASK])
            .value(spec::MBDMA, &[0x04; 2])
            .writable(spec::MBDMA, &[spec::MBDMA_MASK; 2])
            .value(spec::PCSC, &0x0002u16.to_le_bytes())
            .writable(spec::PCSC, &[0xFF; 2])
            .writable(spec::APICBASE, &[spec::APICBASE_MASK])
            .writable(spec::DLC, &[spec::DLC_MASK])
            .value(spec::SMICNTL, &[0x08])
            .writable(spec::SMICNTL, &[spec::SMICNTL_MASK])
            .writable(spec::SMIEN, &spec::SMIEN_MASK.to_le_bytes())
            .writable(spec::SEE, &spec::SEE_MASK.to_le_bytes())
            .value(spec::FTMR, &[0x0F])
            .writable(spec::FTMR, &[0xFF])
            .writable(spec::CTLTMR, &[0xFF])
            .writable(spec::CTHTMR, &[0xFF]);
        Self {
            wiring,
            state: State {
                config: space.reset_values(),
                pirq: [false; PIRQS],
                apmc: 0,
                apms: 0,
                reset_control: 0,
            },
            space,
        }
    }

    /// Drives the ISA interrupts as PIRQ# levels and routes demand.
    fn route(&self, cx: &mut Cx<'_>) {
        let mut asserted = 0u16;
        for (i, _) in self.state.pirq.iter().enumerate().filter(|p| *p.1) {
            let route = self.state.config.u8(spec::PIRQRC + i as u8);
            if route & spec::ROUTE_OFF == 0 {
                asserted |= 1 << (route & 0x0F);
            }
        }
        asserted &= spec::ROUTABLE;
        for (irq, &line) in self.wiring.isa_irqs.iter().enumerate() {
            cx.set_line(line, asserted & (1 << irq) != 0);
        }
    }

    fn write_apmc(&mut self, value: u8, cx: &mut Cx<'_>) {
        self.state.apmc = value;
        pulse(self.wiring.apmc, cx);
        let config = &mut self.state.config;
        if config.u16(spec::SMIEN) & spec::SMI_APMC != 0 {
            let requests = config.u16(spec::SMIREQ) | spec::SMI_APMC;
            config.set_u16(spec::SMIREQ, requests);
            if config.u8(spec::SMICNTL) & spec::SMI_GATE != 0 {
                pulse(self.wiring.smi, cx);
            }
        }
    }

    fn write_reset_control(&mut self, value: u8, cx: &mut Cx<'_>) {
        let before = ResetControl::from_bits_truncate(self.state.reset_control);
        let now = ResetControl::from_bits_truncate(value);
        self.state.reset_control = now.bits();
        if (now - before).contains(ResetControl::RESET_CPU) {
            cx.request_reset(if now.contains(ResetControl::HARD) {
                ResetKind::Hard
            } else {
                ResetKind::Init
            });
        }
    }
}

fn pulse(line: Line, cx: &mut Cx<'_>) {
    cx.set_line(line, true);
    cx.set_line(line, false);
}

impl Device for Piix3 {
    const KIND: &'static str = "piix3";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind == ResetKind::Init {
            return;
        }
        // The PIRQ# pins are driven from outside and keep their levels.
        self.state = State {
            config: self.space.reset_values(),
            pirq: self.state.pirq,
            apmc: 0,
            apms: 0,
            reset_control: 0,
        };
        self.route(cx);
    }

    fn decode(&self, decode: &mut Decode) {
        decode.ports(APM, spec::PORT_APMC, 2, Width::Byte);
        decode.ports(RC, spec::PORT_RC, 1, Width::Byte);
    }

    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn pci(&mut self) -> Option<&mut dyn PciFunction> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
}

impl PortIo for Piix3 {
    fn port_read(&mut self, at: PortAddr, _width: Width, _cx: &mut Cx<'_>) -> u32 {
        u32::from(match (at.region, at.offset) {
            (APM, 0) => self.state.apmc,
            (APM, _) => self.state.apms,
            _ => self.state.reset_control,
        })
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let value = value as u8;
        match (at.region, at.offset) {
            (APM, 0) => self.write_apmc(value, cx),
            (APM, _) => self.state.apms = value,
            _ => self.write_reset_control(value, cx),
        }
    }
}

impl PciFunction for Piix3 {
    fn config_read(&mut self, offset: u8, width: Width, _cx: &mut Cx<'_>) -> u32 {
        self.space.read(&self.state.config, offset, width)
    }

    fn config_write(&mut self, offset: u8, width: Width, value: u32, cx: &mut Cx<'_>) {
        let _no_windows = self
            .space
            .write(&mut self.state.config, offset, width, value);
        // SMIREQ is cleared by writing 0, byte by byte.
        for i in 0..width.bytes().min(4) as u8 {
            let at = offset.wrapping_add(i);
            if at == spec::SMIREQ || at == spec::SMIREQ + 1 {
                let kept = self.state.config.u8(at) & (value >> (8 * i)) as u8;
                self.state.config.set_u8(at, kept);
            }
        }
        self.route(cx);
    }
}

impl Inputs for Piix3 {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        if let Some(level) = self.state.pirq.get_mut(usize::from(pin)) {
            *level = high;
            self.route(cx);
        }
    }
}
