//! Which target paths a delegation covers: patterns, hash prefixes, hash bins.

mod bins;
mod pattern;
mod prefix;

pub use bins::SuccinctRoles;
pub use pattern::Pattern;
pub use prefix::HashPrefix;
