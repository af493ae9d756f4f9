//! The guests.

/// Where a guest comes from.
#[derive(Copy, Clone, Debug)]
pub enum Origin {
    /// A file of a Debian package.
    Debian {
        package: &'static str,
        path: &'static str,
    },
    /// An image of the folder given with `--images`.
    Image(&'static str),
}

/// A guest, and the steps that show that it works.
#[derive(Copy, Clone, Debug)]
pub struct Guest {
    pub name: &'static str,
    pub origin: Origin,
    /// The option that takes the image; empty for the positional one.
    pub drive: &'static str,
    /// More options, the steps among them.
    pub args: &'static [&'static str],
    /// Takes seconds, not minutes.
    pub quick: bool,
}

const MEMTEST: Origin = Origin::Debian {
    package: "memtest86+",
    path: "/usr/lib/memtest86+/memtest86+ia32.iso",
};
const GRUB_FLOPPY: Origin = Origin::Debian {
    package: "grub-rescue-pc",
    path: "/usr/lib/grub-rescue/grub-rescue-floppy.img",
};
const GRUB_CD: Origin = Origin::Debian {
    package: "grub-rescue-pc",
    path: "/usr/lib/grub-rescue/grub-rescue-cdrom.iso",
};
const SEABIOS: [&str; 4] = [
    "--bios",
    "/usr/share/seabios/bios.bin",
    "--vgabios",
    "/usr/share/seabios/vgabios-stdvga.bin",
];

/// From Debian's archive.
pub const DEBIAN: &[Guest] = &[
    Guest {
        name: "grub-rescue floppy",
        origin: GRUB_FLOPPY,
        drive: "--floppy",
        args: &[
            "--expect-screen",
            "GNU GRUB",
            "--type",
            "c",
            "--expect-screen",
            "grub>",
            "--timeout-insns",
            "20G",
        ],
        // A diskette drive at its real speed, polled by firmware: minutes of host time.
        quick: false,
    },
    Guest {
        name: "grub-rescue CD",
        origin: GRUB_CD,
        drive: "--cdrom",
        args: &[
            "--expect-screen",
            "GNU GRUB",
            "--type",
            "c",
            "--expect-screen",
            "grub>",
            "--timeout-insns",
            "20G",
        ],
        quick: true,
    },
    Guest {
        name: "memtest86+ begins",
        origin: MEMTEST,
        drive: "--cdrom",
        args: &[
            "--mem",
            "64M",
            "--expect-screen",
            "Testing",
            "--timeout-insns",
            "20G",
        ],
        quick: true,
    },
    Guest {
        name: "memtest86+ finishes a pass",
        origin: MEMTEST,
        drive: "--cdrom",
        args: &[
            "--mem",
            "16M",
            "--expect-screen",
            "Pass: 1",
            "--expect-screen",
            "Errors: 0",
            "--timeout-insns",
            "2000G",
        ],
        quick: false,
    },
];

const VER: [&str; 8] = [
    "--expect-screen",
    "A:\\>",
    "--type",
    "ver\\n",
    "--expect-screen",
    "FreeCom",
    "--timeout-insns",
    "20G",
];

/// From a folder beside the checkout.
pub const SHARED: &[Guest] = &[
    Guest {
        name: "FreeDOS 1.44M",
        origin: Origin::Image("freedos-1440k.img"),
        drive: "",
        args: &VER,
        quick: true,
    },
    Guest {
        name: "FreeDOS 720K",
        origin: Origin::Image("freedos-720k.img"),
        drive: "",
        args: &VER,
        quick: true,
    },
    Guest {
        name: "FreeDOS 360K",
        origin: Origin::Image("freedos-360k.img"),
        drive: "",
        args: &VER,
        quick: true,
    },
    Guest {
        name: "FreeDOS under SeaBIOS",
        origin: Origin::Image("freedos-1440k.img"),
        drive: "",
        args: &[
            SEABIOS[0], SEABIOS[1], SEABIOS[2], SEABIOS[3], VER[0], VER[1], VER[2], VER[3], VER[4],
            VER[5], VER[6], VER[7],
        ],
        quick: true,
    },
    Guest {
        name: "ELKS",
        origin: Origin::Image("elks-1440k.img"),
        drive: "",
        args: &[
            "--expect-screen",
            "VFS: Mounted root",
            "--expect-screen",
            "\n#",
            "--timeout-insns",
            "30G",
        ],
        quick: true,
    },
];
