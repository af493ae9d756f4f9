//! The demo disk: a hardware tour that boots when `boxwood` is started with no argument.
