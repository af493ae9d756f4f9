//! IDE function of the 82371SB (PIIX3): two channels and their bus master.
//!
//! **Datasheet**: Intel, 82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator, order number 290550.
//!
//! **PCI**: 8086:7010, function 1 of the PIIX3. **Ports**: 1F0h-1F7h and 3F6h (primary), 170h-177h and 376h
//! (secondary), each decoded while the command register's I/O bit and the channel's IDETIM bit 15 are set; 16 bus
//! master registers at BMIBA. **Lines**: one interrupt per channel (IRQ 14 and 15 on a PC). The devices on the two
//! cables are those of [`crate::ata`].
//!
//! **Not implemented**: timing: IDETIM and SIDETIM are kept but change no speed; the bus master's ERROR bit never
//! rises, for no memory access fails here (what is no memory reads as FFh and swallows writes).
//!
//! **Known inaccuracies**: bits 31:16 of BMIBA can be written, where the datasheet has zeros: firmware (SeaBIOS for
//! one) takes such a register for a window of almost 4 GiB. Addresses above 64 KiB are not decoded. A PIIX3's data port takes 32-bit accesses as two of 16 bits; between them nothing else can
//! happen here.

mod bus_master;
pub mod spec;
#[cfg(test)]
pub(crate) mod tests;

use crate::ata::spec::{FLOATING_BUS, Reg};
use crate::ata::{Channel, ChannelState, Unit};
use crate::pci::{COMMAND, Command, ConfigRegisters, ConfigSpace, LATENCY_TIMER, Status};
use bus_master::BusMaster;
use emu_core::bus::{Decode, Width};
use emu_core::cap::{HostInput, PciFunction, PortAddr, PortIo, Timers};
use emu_core::event::TimerId;
use emu_core::host::{DriveId, HostEvent};
use emu_core::snapshot::Snapshot;
use emu_core::{Cx, Device, Line, ResetKind};
use serde::{Deserialize, Serialize};
use spec::*;

/// Everything that a guest can change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    config: ConfigRegisters,
    channels: [ChannelState; 2],
    masters: [BusMaster; 2],
    /// The interrupt lines as the devices drive them.
    interrupts: [bool; 2],
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        for (c, m) in self.channels.iter().zip(&self.masters) {
            c.validate()?;
            m.validate()?;
        }
        Ok(())
    }
}

/// The function and what hangs on its cables.
pub struct Piix3Ide {
    irqs: [Line; 2],
    space: ConfigSpace,
    channels: [Channel; 2],
    state: State,
}

const DATA: u16 = 0;
const COMMAND_REGS: u16 = 1;
const CONTROL: u16 = 2;
const REGIONS_PER_CHANNEL: u16 = 3;
const BUS_MASTER: u16 = 6;
const DEVICES_PER_CHANNEL: TimerId = 2;

fn config_space() -> ConfigSpace {
    ConfigSpace::new(VENDOR, DEVICE)
        .class(CLASS.0, CLASS.1, CLASS.2)
        .command(Command::IO_SPACE | Command::BUS_MASTER)
        .status(Status::FAST_BACK_TO_BACK | Status::DEVSEL_MEDIUM)
        .writable(LATENCY_TIMER, &[LATENCY_MASK])
        .bar(
            4,
            crate::pci::Bar::Io {
                bytes: BUS_MASTER_PORTS.into(),
            },
        )
        .writable(IDETIM, &IDETIM_MASK.to_le_bytes())
        .writable(IDETIM + 2, &IDETIM_MASK.to_le_bytes())
        .writable(SIDETIM, &[0xFF])
}

impl Piix3Ide {
    /// The function with its interrupt lines and the devices on the primary and the secondary channel.
    pub fn new(irqs: [Line; 2], primary: [Option<Unit>; 2], secondary: [Option<Unit>; 2]) -> Self {
        let channels = [
            Channel::new(primary, 0),
            Channel::new(secondary, DEVICES_PER_CHANNEL),
        ];
        let space = config_space();
        Self {
            irqs,
            state: power_on(&space, &channels),
            space,
            channels,
        }
    }

    fn decoded(&self, channel: usize) -> bool {
        let timing = self.state.config.u16(IDETIM + 2 * channel as u8);
        self.state.config.command().contains(Command::IO_SPACE) && timing & IDETIM_DECODE != 0
    }

    /// After anything happened on a channel: the bus master moves data, the interrupt line follows the device.
    fn settle(&mut self, n: usize, cx: &mut Cx<'_>) {
        let s = &mut self.state;
        if s.config.bus_master() {
            s.masters[n].run(&mut self.channels[n], &mut s.channels[n], cx);
        }
        let interrupt = self.channels[n].interrupt(&s.channels[n]);
        if interrupt && !s.interrupts[n] {
            s.masters[n].status |= BmStatus::INTERRUPT;
        }
        s.interrupts[n] = interrupt;
        cx.set_line(self.irqs[n], interrupt);
    }

    fn bus_master_read(&self, offset: u16) -> u8 {
        let (n, reg) = BusMasterReg::decode(offset);
        let m = &self.state.masters[n];
        match reg {
            Some(BusMasterReg::Command) => m.command.bits(),
            Some(BusMasterReg::Status) => m.status.bits(),
            Some(BusMasterReg::Table(byte)) => (m.table >> (8 * byte)) as u8,
            None => 0,
        }
    }

    fn bus_master_write(&mut self, offset: u16, value: u8) -> usize {
        let (n, reg) = BusMasterReg::decode(offset);
        let m = &mut self.state.masters[n];
        match reg {
            Some(BusMasterReg::Command) => m.write_command(value),
            Some(BusMasterReg::Status) => m.write_status(value),
            Some(BusMasterReg::Table(byte)) => {
                let shift = 8 * byte;
                let table = (m.table & !(0xFF << shift)) | (u32::from(value) << shift);
                m.table = table & TABLE_MASK;
            }
            None => {}
        }
        n
    }
}

fn power_on(space: &ConfigSpace, channels: &[Channel; 2]) -> State {
    State {
        config: space.reset_values(),
        channels: std::array::from_fn(|n| channels[n].power_on()),
        masters: std::array::from_fn(|_| BusMaster::new()),
        interrupts: [false; 2],
    }
}

impl Device for Piix3Ide {
    const KIND: &'static str = "piix3_ide";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        match kind {
            ResetKind::Init => return,
            ResetKind::Hard => {
                self.state.config = self.space.reset_values();
                self.state.masters = std::array::from_fn(|_| BusMaster::new());
            }
            ResetKind::PowerOn => self.state = power_on(&self.space, &self.channels),
        }
        for n in 0..2 {
            self.channels[n].reset(&mut self.state.channels[n], cx);
            self.state.interrupts[n] = false;
            cx.set_line(self.irqs[n], false);
        }
        cx.request_remap();
    }

    fn decode(&self, decode: &mut Decode) {
        for n in 0..2 {
            if self.decoded(n) {
                let region = REGIONS_PER_CHANNEL * n as u16;
                decode.ports(region + DATA, COMMAND_BLOCK[n], 1, Width::Dword);
                decode.ports(region + COMMAND_REGS, COMMAND_BLOCK[n] + 1, 7, Width::Byte);
                decode.ports(region + CONTROL, CONTROL_BLOCK[n], 1, Width::Byte);
            }
        }
        for w in self.space.windows(&self.state.config) {
            decode.ports(BUS_MASTER, w.base as u16, w.bytes as u16, Width::Byte);
        }
    }

    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn pci(&mut self) -> Option<&mut dyn PciFunction> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn host_input(&mut self) -> Option<&mut dyn HostInput> {
        Some(self)
    }
}

impl HostInput for Piix3Ide {
    fn host_input(&mut self, event: HostEvent, _cx: &mut Cx<'_>) {
        if let HostEvent::Medium(change) = event
            && let DriveId::Atapi(n, position) = change.drive
            && let n = usize::from(n)
            && let Some(channel) = self.channels.get_mut(n)
        {
            channel.change_medium(&mut self.state.channels[n], position, change.medium);
        }
    }
}

impl PortIo for Piix3Ide {
    fn port_read(&mut self, at: PortAddr, width: Width, cx: &mut Cx<'_>) -> u32 {
        if at.region >= BUS_MASTER {
            return self.bus_master_read(at.offset).into();
        }
        let n = usize::from(at.region / REGIONS_PER_CHANNEL);
        let (channel, s) = (&mut self.channels[n], &mut self.state.channels[n]);
        let value = match at.region % REGIONS_PER_CHANNEL {
            DATA => channel.read_data(s, width, cx),
            COMMAND_REGS => match Reg::for_read(at.offset + 1) {
                Some(reg) => channel.read(s, reg).into(),
                None => FLOATING_BUS.into(),
            },
            _ => channel.read(s, Reg::AlternateStatus).into(),
        };
        self.settle(n, cx);
        value
    }

    fn port_write(&mut self, at: PortAddr, width: Width, value: u32, cx: &mut Cx<'_>) {
        let n = if at.region >= BUS_MASTER {
            self.bus_master_write(at.offset, value as u8)
        } else {
            let n = usize::from(at.region / REGIONS_PER_CHANNEL);
            let (channel, s) = (&mut self.channels[n], &mut self.state.channels[n]);
            match at.region % REGIONS_PER_CHANNEL {
                DATA => channel.write_data(s, width, value, cx),
                COMMAND_REGS => {
                    if let Some(reg) = Reg::for_write(at.offset + 1) {
                        channel.write(s, reg, value as u8, cx);
                    }
                }
                _ => channel.write(s, Reg::DeviceControl, value as u8, cx),
            }
            n
        };
        self.settle(n, cx);
    }
}

impl PciFunction for Piix3Ide {
    fn config_read(&mut self, offset: u8, width: Width, _cx: &mut Cx<'_>) -> u32 {
        self.space.read(&self.state.config, offset, width)
    }

    fn config_write(&mut self, offset: u8, width: Width, value: u32, cx: &mut Cx<'_>) {
        let before = [self.decoded(0), self.decoded(1)];
        let windows = self
            .space
            .write(&mut self.state.config, offset, width, value);
        if windows || before != [self.decoded(0), self.decoded(1)] {
            cx.request_remap();
        }
        if offset & !3 == COMMAND {
            // The bus may have been granted to a transfer that waited for it.
            for n in 0..2 {
                self.settle(n, cx);
            }
        }
    }
}

impl Timers for Piix3Ide {
    fn expired(&mut self, timer: TimerId, cx: &mut Cx<'_>) {
        let n = usize::from(timer / DEVICES_PER_CHANNEL);
        if let Some(channel) = self.channels.get_mut(n) {
            let device = (timer % DEVICES_PER_CHANNEL) as u8;
            channel.expired(&mut self.state.channels[n], device, cx);
            self.settle(n, cx);
        }
    }
}
