//! The `boxwood` binary.
fn main() {}
