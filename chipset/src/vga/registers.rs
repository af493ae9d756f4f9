//! All registers of the card, and which port reaches which.

use super::attribute::Attribute;
use super::crtc::Crtc;
use super::dac::Dac;
use super::dispi::Dispi;
use super::graphics::Graphics;
use super::sequencer::Sequencer;
use super::spec::{self, MiscOutput, general};
use serde::{Deserialize, Serialize};

/// The registers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registers {
    misc: u8,
    feature: u8,
    subsystem_enable: u8,
    pub(super) sequencer: Sequencer,
    pub(super) crtc: Crtc,
    pub(super) graphics: Graphics,
    pub(super) attribute: Attribute,
    pub(super) dac: Dac,
    pub(super) dispi: Dispi,
}

impl Registers {
    /// The registers after reset, for a card with `vram_bytes` of memory. The subsystem is enabled, as on a card
    /// (a PS/2's system board enables it in POST).
    pub fn new(vram_bytes: usize) -> Self {
        Self {
            misc: 0,
            feature: 0,
            subsystem_enable: spec::SUBSYSTEM_MASK,
            sequencer: Sequencer::default(),
            crtc: Crtc::default(),
            graphics: Graphics::default(),
            attribute: Attribute::default(),
            dac: Dac::default(),
            dispi: Dispi::new(vram_bytes),
        }
    }

    pub(super) fn validate(&self) -> Result<(), &'static str> {
        if !self.dac.is_valid() {
            return Err("the DAC has three values only");
        }
        if !self.dispi.is_valid() {
            return Err("the DISPI mode does not fit the memory");
        }
        Ok(())
    }

    /// Miscellaneous output.
    pub fn misc(&self) -> MiscOutput {
        MiscOutput::from_bits_truncate(self.misc)
    }
    /// Whether the card answers at all.
    pub fn subsystem_enabled(&self) -> bool {
        self.subsystem_enable & spec::SUBSYSTEM_MASK != 0
    }
    /// Where the CRT controller stands at the moment.
    pub fn crtc_port(&self) -> u16 {
        if self.misc().contains(MiscOutput::COLOUR) {
            spec::PORT_CRTC_COLOUR
        } else {
            spec::PORT_CRTC_MONO
        }
    }
    /// Where input status 1 and feature control stand at the moment.
    pub fn status_port(&self) -> u16 {
        if self.misc().contains(MiscOutput::COLOUR) {
            spec::PORT_STATUS_COLOUR
        } else {
            spec::PORT_STATUS_MONO
        }
    }

    /// Reads a register that needs no clock (all but the two input status registers).
    pub(super) fn read(&mut self, port: u16) -> u8 {
        let crtc = self.crtc_port();
        if port == crtc {
            return self.crtc.index();
        }
        if port == crtc + 1 {
            return self.crtc.read();
        }
        match port.wrapping_sub(spec::PORT_GENERAL) {
            general::ATTRIBUTE => self.attribute.address(),
            general::ATTRIBUTE_READ => self.attribute.read(),
            general::SUBSYSTEM_ENABLE => self.subsystem_enable,
            general::SEQUENCER_INDEX => self.sequencer.index(),
            general::SEQUENCER => self.sequencer.read(),
            general::DAC_MASK => self.dac.mask(),
            general::DAC_READ_INDEX => self.dac.state(),
            general::DAC_WRITE_INDEX => self.dac.address(),
            general::DAC_DATA => self.dac.read(),
            general::FEATURE_READ => self.feature,
            general::MISC_READ => self.misc,
            general::GRAPHICS_INDEX => self.graphics.index(),
            general::GRAPHICS => self.graphics.read(),
            _ => 0xFF,
        }
    }

    /// Writes a register.
    pub(super) fn write(&mut self, port: u16, value: u8) {
        let crtc = self.crtc_port();
        if port == crtc {
            return self.crtc.set_index(value);
        }
        if port == crtc + 1 {
            return self.crtc.write(value);
        }
        if port == self.status_port() {
            self.feature = value & spec::FEATURE_MASK;
            return;
        }
        match port.wrapping_sub(spec::PORT_GENERAL) {
            general::ATTRIBUTE => self.attribute.write(value),
            general::STATUS_0 => self.misc = MiscOutput::from_bits_truncate(value).bits(),
            general::SUBSYSTEM_ENABLE => self.subsystem_enable = value & spec::SUBSYSTEM_MASK,
            general::SEQUENCER_INDEX => self.sequencer.set_index(value),
            general::SEQUENCER => self.sequencer.write(value),
            general::DAC_MASK => self.dac.set_mask(value),
            general::DAC_READ_INDEX => self.dac.set_read_address(value),
            general::DAC_WRITE_INDEX => self.dac.set_write_address(value),
            general::DAC_DATA => self.dac.write(value),
            general::GRAPHICS_INDEX => self.graphics.set_index(value),
            general::GRAPHICS => self.graphics.write(value),
            _ => {}
        }
    }
}
