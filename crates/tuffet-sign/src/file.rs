//! Keys in files.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tuffet_core::crypto::{PublicKey, Scheme};
use tuffet_files::Readers;
use zeroize::Zeroizing;

use crate::encoding::{self, Problem};
use crate::error::{Origin, SignError};
use crate::passphrase::Passphrase;
use crate::private::{KeyForm, PrivateKey};
use crate::signer::{PublicKeyInfo, SigningBackend, usual_scheme};

/// The longest key file that is read, in bytes. An RSA key of 8192 bits takes a tenth of it.
const LONGEST_FILE: usize = 64 * 1024;
/// One byte more tells a longer file from one of exactly that length.
const READ_AT_MOST: usize = LONGEST_FILE + 1;

/// A private key that was read from a file or is to be written to one, held in memory.
pub struct FileKey {
    private: PrivateKey,
    public: PublicKeyInfo,
}

/// How a key file is protected.
#[derive(Debug, Clone, Copy)]
pub enum Protection<'a> {
    /// Encrypted; an empty passphrase is refused.
    Passphrase(&'a Passphrase),
    /// Not at all: whoever can read the file has the key.
    Plain,
}

impl FileKey {
    /// Makes a new key, for RSA one of 3072 bits. It exists in memory only until it is [saved](Self::save).
    ///
    /// # Errors
    /// [`SignError::Failed`] if the library cannot make one.
    pub fn generate(scheme: Scheme) -> Result<Self, SignError> {
        let what = "make a key";
        let private = PrivateKey::generate(KeyForm::of(scheme))
            .map_err(|_| SignError::Failed { what, scheme })?;
        let public = private
            .public_der()
            .ok()
            .and_then(|der| PublicKey::from_spki_der(&der).ok())
            .ok_or(SignError::Failed { what, scheme })?;
        Ok(Self {
            private,
            public: PublicKeyInfo::new(scheme, public)?,
        })
    }

    /// Reads a PKCS#8 file in PEM. `passphrase` is asked for only if the file is encrypted.
    ///
    /// The scheme is the only one for that kind of key; for RSA it is `rsassa-pss-sha256`, see
    /// [`with_scheme`](Self::with_scheme).
    ///
    /// # Errors
    /// [`SignError::Unavailable`] if there is no such file or it cannot be read, [`SignError::Format`] if it is not
    /// a private key of a supported kind, [`SignError::Passphrase`] if the passphrase is missing or wrong.
    pub fn open(
        path: impl AsRef<Path>,
        passphrase: impl FnOnce() -> Option<Passphrase>,
    ) -> Result<Self, SignError> {
        let path = path.as_ref();
        let text = read_file(path)?;
        Self::read(&text, passphrase).map_err(|problem| at(Origin::File(path.into()), problem))
    }

    /// Reads the text of such a file from an environment variable: for CI, which keeps its secrets there.
    ///
    /// # Errors
    /// [`SignError::Variable`] if there is none, else as [`open`](Self::open).
    pub fn from_variable(
        variable: &str,
        passphrase: impl FnOnce() -> Option<Passphrase>,
    ) -> Result<Self, SignError> {
        let text = env::var(variable).map(Zeroizing::new);
        let text = text.map_err(|_| SignError::Variable {
            variable: variable.to_owned(),
        })?;
        Self::read(text.as_bytes(), passphrase)
            .map_err(|problem| at(Origin::Variable(variable.to_owned()), problem))
    }

    fn read(text: &[u8], passphrase: impl FnOnce() -> Option<Passphrase>) -> Result<Self, Problem> {
        let text = str::from_utf8(text).map_err(|_| Problem::Format("it is not text".into()))?;
        let (form, document) = encoding::read(text, passphrase)?;
        let private = PrivateKey::from_pkcs8(form, document.as_bytes())
            .map_err(|error| Problem::Format(format!("its key is refused ({error})")))?;
        let public = private
            .public_der()
            .map_err(|_| Problem::Format("it has no public key".into()))?;
        let public = PublicKey::from_spki_der(&public)
            .map_err(|why| Problem::Format(format!("of its public key: {why}")))?;
        let public = PublicKeyInfo::new(usual_scheme(&public), public)
            .map_err(|error| Problem::Format(error.to_string()))?;
        Ok(Self { private, public })
    }

    /// The same key with another scheme of its kind: an RSA key can sign with six.
    ///
    /// # Errors
    /// [`SignError::Scheme`] if keys of that kind do not sign with the scheme.
    pub fn with_scheme(self, scheme: Scheme) -> Result<Self, SignError> {
        let public = PublicKeyInfo::new(scheme, self.public.public().clone())?;
        Ok(Self { public, ..self })
    }

    /// Writes the key to a new file that only its owner may read. An existing file is never touched, and the file
    /// appears only when it is complete and on disk.
    ///
    /// # Errors
    /// [`SignError::Exists`] if there is a file of that name, [`SignError::Write`] if it cannot be written,
    /// [`SignError::Passphrase`] if the passphrase is empty, [`SignError::Format`] if the key cannot be encoded: an
    /// ML-DSA key read from a file without its seed.
    pub fn save(
        &self,
        path: impl AsRef<Path>,
        protection: Protection<'_>,
    ) -> Result<(), SignError> {
        let path = path.as_ref();
        let text = self
            .write(protection)
            .map_err(|problem| at(Origin::File(path.into()), problem))?;
        write_file(path, text.as_bytes())
    }

    fn write(&self, protection: Protection<'_>) -> Result<Zeroizing<String>, Problem> {
        let der = self
            .private
            .to_pkcs8()
            .map_err(|_| Problem::Format("the key cannot be encoded".into()))?;
        match protection {
            Protection::Passphrase(passphrase) => encoding::write_encrypted(&der, passphrase),
            Protection::Plain => encoding::write_plain(&der),
        }
    }
}

impl SigningBackend for FileKey {
    fn public_key(&self) -> &PublicKeyInfo {
        &self.public
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let scheme = self.public.scheme();
        let what = "sign";
        self.private
            .sign(scheme, message)
            .map_err(|_| SignError::Failed { what, scheme })
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

fn at(origin: Origin, problem: Problem) -> SignError {
    match problem {
        Problem::Format(what) => SignError::Format { origin, what },
        Problem::Passphrase(what) => SignError::Passphrase { origin, what },
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SignError> {
    let unavailable = |source| SignError::Unavailable {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(unavailable)?;
    // Room for the whole file at once: a buffer that grows leaves copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(READ_AT_MOST));
    file.take(READ_AT_MOST as u64)
        .read_to_end(&mut text)
        .map_err(unavailable)?;
    if text.len() <= LONGEST_FILE {
        Ok(text)
    } else {
        Err(SignError::Format {
            origin: Origin::File(path.into()),
            what: format!("it is longer than {LONGEST_FILE} bytes"),
        })
    }
}

/// Writes a file for the eyes of its owner alone, unless the name is taken.
fn write_file(path: &Path, content: &[u8]) -> Result<(), SignError> {
    tuffet_files::create(path, content, Readers::Owner).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => SignError::Exists {
            path: path.to_path_buf(),
        },
        _ => SignError::Write {
            path: path.to_path_buf(),
            source,
        },
    })
}
