/// Which configuration register a host bridge addresses at the moment.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ConfigAddress {
    /// Bus number.
    pub bus: u8,
    /// Device number, 0 to 31.
    pub device: u8,
    /// Function number, 0 to 7.
    pub function: u8,
    /// Byte offset of the doubleword.
    pub register: u8,
}

/// PCI Local Bus Specification 2.1, section 3.7.4.1: configuration mechanism 1.
pub trait ConfigMechanism {
    /// What CONFADD selects; `None` while its enable bit is clear.
    fn config_address(&self) -> Option<ConfigAddress>;
}
