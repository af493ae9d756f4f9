use super::BlockBackend;
use serde::{Deserialize, Serialize};

/// A key by its place on the keyboard, as the USB HID Usage Tables (section 10, Keyboard/Keypad page 07h) number
/// it: 04h is A, 28h Enter, 4Fh Right Arrow. The keyboard turns it into the scan codes of its present set.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct KeyCode(pub u8);

/// What the mouse did.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MouseEvent {
    /// Counts to the right.
    pub dx: i32,
    /// Counts upwards.
    pub dy: i32,
    /// Wheel detents away from the user.
    pub wheel: i32,
    /// Buttons held: bit 0 left, bit 1 right, bit 2 middle, bits 3 and 4 the side buttons.
    pub buttons: u8,
}

/// A removable drive, as the board numbers them.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DriveId {
    /// Floppy drive 0 or 1 (A:, B:).
    Floppy(u8),
    /// An ATAPI drive: channel (0, 1) and position (0 master, 1 slave).
    Atapi(u8, u8),
}

/// A medium is put in or taken out.
pub struct MediumChange {
    /// Which drive.
    pub drive: DriveId,
    /// The new medium; `None` leaves the drive empty.
    pub medium: Option<Box<dyn BlockBackend>>,
}

impl std::fmt::Debug for MediumChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = self.medium.as_ref().map(|m| m.describe());
        write!(f, "{:?} <- {what:?}", self.drive)
    }
}

/// Something that came from outside the machine.
#[derive(Debug)]
pub enum HostEvent {
    /// A key went down or up.
    Key {
        /// Which.
        key: KeyCode,
        /// Down?
        pressed: bool,
    },
    /// The mouse moved or a button changed.
    Mouse(MouseEvent),
    /// A medium was changed.
    Medium(MediumChange),
    /// The power button was pressed.
    PowerButton,
}
