//! The 82441FX host bridge and memory controller of the 440FX.
//!
//! **What it is**: Intel 440FX PCIset: 82441FX PCI and Memory Controller (PMC), order number 290549. It translates
//! CF8h/CFCh into PCI configuration cycles (mechanism 1), decides for each segment below 1 MiB whether reads and
//! writes go to DRAM or to PCI, keeps SMRAM, and is PCI function 0:0.0.
//!
//! **Ports**: CF8h (doublewords only; other sizes are I/O cycles for somebody else), CFCh-CFFh. **Memory**: system
//! DRAM.
//!
//! **Not implemented**
//! - D_CLS: the memory map does not tell code from data, so in SMM both see SMRAM.
//! - Deturbo mode, ECC and parity errors, BIST through TRC.
//!
//! **Known inaccuracies**
//! - DRAM is as large as the board makes it: row boundaries and types and the timing registers keep what is written,
//!   without effect. DRAM beyond the PCI hole continues at 4 GiB (the PMC itself knows 1 GiB at most).
//! - A word or byte access that covers CF8h is not passed on to PCI.
//! - The PMC has no subsystem ID; a board may give it one ([`I440fx::with_subsystem`]), by which SeaBIOS knows that
//!   there is a fw_cfg device.

pub mod spec;
#[cfg(test)]
mod tests;

use crate::pci::{Command, ConfigRegisters, ConfigSpace, LATENCY_TIMER, Status};
use emu_core::bus::{Access, Decode, MemoryTarget, PortKind, SmmView};
use emu_core::cap::{ConfigAddress, ConfigMechanism, PciFunction, PortAddr, PortIo};
use emu_core::cx::{Cx, ResetKind};
use emu_core::ram::Ram;
use emu_core::snapshot::Snapshot;
use emu_core::{Device, Width};
use serde::{Deserialize, Serialize};
use spec::{Smram, TurboReset};

const CONFADD: u16 = 0;
const FOUR_GIB: u64 = 1 << 32;

/// What a guest can change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    config: ConfigRegisters,
    confadd: u32,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The host bridge.
#[derive(Debug)]
pub struct I440fx {
    dram: Ram,
    pci_hole: u64,
    space: ConfigSpace,
    state: State,
}

impl I440fx {
    /// Where the PCI hole below 4 GiB begins unless the board says otherwise: a choice of ours, 3.5 GiB.
    pub const PCI_HOLE: u64 = 0xE000_0000;

    /// A bridge with this much DRAM. What lies above `pci_hole` appears from 4 GiB on.
    pub fn new(dram: Ram, pci_hole: u64) -> Self {
        let space = ConfigSpace::new(spec::VENDOR, spec::DEVICE)
            .revision(spec::REVISION)
            .class(0x06, 0x00, 0x00)
            .value(
                crate::pci::COMMAND,
                &(Command::MEMORY_SPACE | Command::BUS_MASTER)
                    .bits()
                    .to_le_bytes(),
            )
            .command(Command::PARITY_ERROR_RESPONSE | Command::SERR_ENABLE)
            .status(Status::FAST_BACK_TO_BACK | Status::DEVSEL_MEDIUM)
            .writable(LATENCY_TIMER, &[0xF8])
            .writable(spec::PMCCFG, &spec::PMCCFG_MASK.to_le_bytes())
            .writable(spec::DETURBO, &[0xFF])
            .writable(spec::DRT, &[0xFF; 2])
            .value(spec::DRAMC, &[0x01])
            .writable(spec::DRAMC, &[spec::DRAMC_MASK])
            .value(spec::DRAMT, &[0x10])
            .writable(spec::DRAMT, &[spec::DRAMT_MASK])
            .writable(spec::PAM, &[spec::PAM_MASK & 0xF0])
            .writable(spec::PAM + 1, &[spec::PAM_MASK; 6])
            .value(spec::DRB, &[0x01; 8])
            .writable(spec::DRB, &[0xFF; 8])
            .writable(spec::FDHC, &[spec::FDHC_MASK])
            .writable(spec::MTT, &[0xF8])
            .value(spec::CLT, &[0x10])
            .writable(spec::CLT, &[0x1F])
            .value(spec::SMRAM, &[spec::SMRAM_BASE_SEGMENT])
            .writable(spec::SMRAM, &[Smram::all().bits()])
            .writable(spec::ERRCMD, &[spec::ERRCMD_MASK])
            .write_1_to_clear(spec::ERRSTS, &[spec::ERRSTS_CLEAR])
            .writable(spec::TRC, &[TurboReset::all().bits()]);
        Self {
            dram,
            pci_hole: pci_hole.min(FOUR_GIB),
            state: State {
                config: space.reset_values(),
                confadd: 0,
            },
            space,
        }
    }

    /// The same bridge with a subsystem vendor and ID, which read only.
    #[must_use]
    pub fn with_subsystem(mut self, vendor: u16, id: u16) -> Self {
        self.space = self.space.subsystem(vendor, id);
        self.state.config = self.space.reset_values();
        self
    }

    fn smram(&self) -> Smram {
        Smram::from_bits_truncate(self.state.config.u8(spec::SMRAM))
    }

    /// The registers that decide where DRAM answers.
    fn mapping(&self) -> [u8; 9] {
        let c = &self.state.config;
        std::array::from_fn(|i| match i {
            7 => c.u8(spec::FDHC),
            8 => c.u8(spec::SMRAM),
            i => c.u8(spec::PAM + i as u8),
        })
    }

    fn dram(&self, decode: &mut Decode, base: u64, end: u64, access: Access, view: SmmView) {
        let target = MemoryTarget::Ram {
            ram: self.dram.clone(),
            offset: base as usize,
        };
        let priority = Decode::PRIORITY_CHIPSET;
        decode.memory_range(
            base,
            end.saturating_sub(base),
            access,
            view,
            priority,
            target,
        );
    }
}

impl Device for I440fx {
    const KIND: &'static str = "i440fx";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.state.config = self.space.reset_values();
            self.state.confadd = 0;
            cx.request_remap();
        }
    }

    fn decode(&self, decode: &mut Decode) {
        decode.ports(CONFADD, spec::PORT_CONFADD, 1, Width::Dword);
        decode.ports_with(
            PortKind::PciConfigData,
            spec::PORT_CONFDATA,
            4,
            Width::Dword,
            Access::ReadWrite,
        );
        let both = Access::ReadWrite;
        let top = (self.dram.len_bytes() as u64).min(self.pci_hole);
        let hole = spec::hole(self.state.config.u8(spec::FDHC));
        for (base, end) in [(0, 640 << 10), (1 << 20, top)] {
            let end = end.min(top);
            match hole {
                Some((from, len)) if (base..end).contains(&from) => {
                    self.dram(decode, base, from, both, SmmView::Always);
                    self.dram(decode, from + len, end, both, SmmView::Always);
                }
                _ => self.dram(decode, base, end, both, SmmView::Always),
            }
        }
        for (register, upper, base, len) in spec::PAM_SEGMENTS {
            let pam = self.state.config.u8(spec::PAM + register);
            let half = if upper { pam >> 4 } else { pam };
            let access = match (half & spec::PAM_READ != 0, half & spec::PAM_WRITE != 0) {
                (false, false) => continue,
                (true, false) => Access::Read,
                (false, true) => Access::Write,
                (true, true) => both,
            };
            self.dram(decode, base, base + len, access, SmmView::Always);
        }
        let smram = self.smram();
        if smram.contains(Smram::ENABLE) {
            let view = if smram.contains(Smram::OPEN) {
                SmmView::Always
            } else {
                SmmView::SmmOnly
            };
            let end = spec::SMRAM_BASE + spec::SMRAM_BYTES;
            self.dram(decode, spec::SMRAM_BASE, end, both, view);
        }
        let above = (self.dram.len_bytes() as u64).saturating_sub(top);
        decode.ram(
            FOUR_GIB,
            above,
            &self.dram,
            top as usize,
            both,
            Decode::PRIORITY_CHIPSET,
        );
    }

    fn memory_blocks(&self) -> Vec<Ram> {
        vec![self.dram.clone()]
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn pci(&mut self) -> Option<&mut dyn PciFunction> {
        Some(self)
    }
    fn config_mechanism(&self) -> Option<&dyn ConfigMechanism> {
        Some(self)
    }
}

impl ConfigMechanism for I440fx {
    fn config_address(&self) -> Option<ConfigAddress> {
        let a = self.state.confadd;
        (a & spec::CONFADD_ENABLE != 0).then_some(ConfigAddress {
            bus: (a >> 16) as u8,
            device: (a >> 11) as u8 & 0x1F,
            function: (a >> 8) as u8 & 0x07,
            register: a as u8 & 0xFC,
        })
    }
}

impl PortIo for I440fx {
    fn port_read(&mut self, _at: PortAddr, width: Width, _cx: &mut Cx<'_>) -> u32 {
        if width == Width::Dword {
            self.state.confadd
        } else {
            u32::MAX
        }
    }
    fn port_write(&mut self, _at: PortAddr, width: Width, value: u32, _cx: &mut Cx<'_>) {
        if width == Width::Dword {
            self.state.confadd = value & spec::CONFADD_MASK;
        }
    }
}

impl PciFunction for I440fx {
    fn config_read(&mut self, offset: u8, width: Width, _cx: &mut Cx<'_>) -> u32 {
        self.space.read(&self.state.config, offset, width)
    }

    fn config_write(&mut self, offset: u8, width: Width, value: u32, cx: &mut Cx<'_>) {
        let (mapping, smram) = (self.mapping(), self.smram());
        let trc = TurboReset::from_bits_truncate(self.state.config.u8(spec::TRC));
        let config = &mut self.state.config;
        let _no_windows = self.space.write(config, offset, width, value);
        let mut new = Smram::from_bits_truncate(config.u8(spec::SMRAM));
        if smram.contains(Smram::LOCK) {
            new.insert(Smram::LOCK);
        }
        if new.contains(Smram::LOCK) {
            new.remove(Smram::OPEN);
        }
        config.set_u8(spec::SMRAM, new.bits() | spec::SMRAM_BASE_SEGMENT);
        let reset = TurboReset::from_bits_truncate(config.u8(spec::TRC));
        if (reset - trc).contains(TurboReset::RESET_CPU) {
            cx.request_reset(if reset.contains(TurboReset::HARD) {
                ResetKind::Hard
            } else {
                ResetKind::Init
            });
        }
        if self.mapping() != mapping {
            cx.request_remap();
        }
    }
}
