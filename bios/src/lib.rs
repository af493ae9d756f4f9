//! Guest firmware: the system BIOS and the VGA BIOS.
