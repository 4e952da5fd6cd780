//! Where files are: the XDG directories, each overridable by a flag and by a variable.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;

/// Directories other than the usual ones.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct PlaceOptions {
    /// What is trusted [default: tuffet in the user's configuration directory]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TUFFET_CONFIG_DIR",
        hide_env_values = true
    )]
    pub(crate) config_dir: Option<PathBuf>,
    /// Verified metadata and its history [default: tuffet in the user's data directory]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TUFFET_DATA_DIR",
        hide_env_values = true
    )]
    pub(crate) data_dir: Option<PathBuf>,
}

impl PlaceOptions {
    /// The directory of what the user decides.
    ///
    /// # Errors
    /// When no directory is given and there is no home directory either.
    pub(crate) fn config(&self) -> Result<PathBuf, Failure> {
        place(self.config_dir.as_deref(), &CONFIG)
    }

    /// The directory of trust entries.
    ///
    /// # Errors
    /// As for [`PlaceOptions::config`].
    pub(crate) fn trust(&self) -> Result<PathBuf, Failure> {
        Ok(self.config()?.join("trust"))
    }

    /// The store of a trusted repository.
    ///
    /// # Errors
    /// As for [`PlaceOptions::config`].
    pub(crate) fn store(&self, name: &str) -> Result<PathBuf, Failure> {
        let data = self.data_dir.as_deref();
        Ok(place(data, &DATA)?.join("repositories").join(name))
    }
}

/// Where one kind of directory is looked for.
struct Kind {
    flag: &'static str,
    xdg: &'static str,
    /// Below the home directory.
    #[cfg(not(windows))]
    home: &'static str,
    #[cfg(windows)]
    app_data: &'static str,
}

#[cfg(windows)]
const CONFIG: Kind = Kind {
    flag: "--config-dir",
    xdg: "XDG_CONFIG_HOME",
    app_data: "APPDATA",
};
#[cfg(windows)]
const DATA: Kind = Kind {
    flag: "--data-dir",
    xdg: "XDG_DATA_HOME",
    app_data: "LOCALAPPDATA",
};
#[cfg(not(windows))]
const CONFIG: Kind = Kind {
    flag: "--config-dir",
    xdg: "XDG_CONFIG_HOME",
    home: ".config",
};
#[cfg(not(windows))]
const DATA: Kind = Kind {
    flag: "--data-dir",
    xdg: "XDG_DATA_HOME",
    home: ".local/share",
};

fn place(given: Option<&Path>, kind: &Kind) -> Result<PathBuf, Failure> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    // The XDG specification has relative paths ignored.
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if let Some(base) = absolute(kind.xdg) {
        return Ok(base.join("tuffet"));
    }
    #[cfg(windows)]
    let base = absolute(kind.app_data);
    #[cfg(not(windows))]
    let base = absolute("HOME").map(|home| home.join(kind.home));
    base.map(|base| base.join("tuffet")).ok_or_else(|| {
        Failure::usage("no home directory is known, so there is no usual place for files")
            .fix(format!("say where with {}", kind.flag))
    })
}
