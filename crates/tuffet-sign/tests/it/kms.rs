//! Key management services. Each is spoken to as a fake of ours speaks it, which has real keys and checks who asks; AWS KMS
//! as moto does, too.

mod aws;
mod azure;
mod failures;
mod gcp;
mod hostile;
mod keys;
mod moto;
mod server;
mod sigv4;
mod tls;
mod vault;
mod world;
