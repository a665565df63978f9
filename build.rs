//! Compiles the protobuf contract with a compiler written in Rust, so that no `protoc` is needed.
//! Returns at once without the feature `server`: the core has no gRPC.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    pack_relocations();
    fold_functions();
    #[cfg(feature = "server")]
    contract::compile();
}

/// In the static binary of the image, which no other loader has to understand, relocations are
/// packed: half a megabyte less.
fn pack_relocations() {
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if gnu && features.split(',').any(|feature| feature == "crt-static") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Functions of the same machine code become one where nobody compares their addresses and the
/// linker is rustc's own, which can do that: less to ship and to keep in memory.
fn fold_functions() {
    let of = |name| std::env::var(name).unwrap_or_default();
    let default = of("TARGET") == "x86_64-unknown-linux-gnu"
        && std::env::var_os("RUSTC_LINKER").is_none()
        && !["fuse-ld", "linker"].iter().any(|word| of("CARGO_ENCODED_RUSTFLAGS").contains(word));
    if default && of("PROFILE") == "release" {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=safe");
    }
}

#[cfg(feature = "server")]
mod contract {
    #![expect(clippy::expect_used, reason = "a build that cannot go on stops with its reason")]

    use std::{env, fs, path::PathBuf};

    use protox::prost::Message as _;

    const FILES: [&str; 3] =
        ["payhook/v1/event.proto", "payhook/v1/money.proto", "payhook/v1/webhook_service.proto"];

    pub(crate) fn compile() {
        println!("cargo::rerun-if-changed=proto");
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        let mut compiler = protox::Compiler::new(["proto"]).expect("the folder proto exists");
        compiler
            .include_imports(true)
            .include_source_info(true)
            .open_files(FILES)
            .expect("the contract compiles");
        let set = compiler.file_descriptor_set();
        fs::write(out.join("payhook_descriptor.bin"), set.encode_to_vec())
            .expect("OUT_DIR is writable");
        tonic_prost_build::configure()
            .bytes(".payhook.v1.WebhookRequest.body")
            .bytes(".payhook.v1.PaymentEvent.decoded_payload")
            // In order: the same webhook is answered with the same bytes.
            .btree_map(".payhook.v1")
            .codec_path("crate::proto::ExactCodec")
            .compile_fds(set)
            .expect("the service code is generated");
    }
}
