//! RSA with a modulus of 2049 bits: the encoded message of RSASSA-PSS is then one byte shorter than the modulus.
//! The key and the signatures were made for these tests with OpenSSL; the private half is gone.

pub(crate) const PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEB3FysjKhDp/81cZzeu3AK
SYdkJ/ECFdv5pFexy/sUpkQMsJQ1kO9Gif5DSBtWT+iYlg3rckfarqnkaSldqDnn
e/LAb8tlpuFHz3EzLfPJMpNd20UYaL2oHH01aPGK6/JpknjFOB3NdCcLoPNYqK1x
qQl4GS3SAMq9Y4TIiyclnAYyeOFfqhQaEcL+109CfevfVy/Q+GbWg7Kk95dcCCHH
YMQLoALBqvuWdxvoX3u4UGewVT8LyqXpASjvH+R55zbgKEglvEiJzxOpz0T2vnrX
Xkm28IXIjoQCdzXQaHJ7dS1aSdNDSi9hTpb+cTfGE+PTfumQlpO3+HpN6JqGt0mg
bwIDAQAB
-----END PUBLIC KEY-----
";

pub(crate) const MESSAGE: &[u8] = b"one byte shorter";

/// RSASSA-PKCS1-v1_5 with SHA-256.
pub(crate) const PKCS1V15: &str = concat!(
    "01bfb264ce68cbed5bc782ce8610ecf1473537651824f7a9b448bfdbbbddffc593f9828aec20b9d829e04a86ac111141",
    "09608af7b7adafa779591ef72db988ac8f5b328cbdf2ed5af8d53db0b2bf7f31f1dc9164d2566ec7a0117c691d147f01",
    "ea74dc63b295ac29772ae59c41f06b72781a0a946cd06e184020f8bb95214589703cdd7339ae284caec5d27e73e95da2",
    "15d7fff5db3677b5de1210bf962993e71fb6da3495c05a7aad8ce5fcb451b6302770718ce2f166c7cc545b06f03e36ce",
    "1287fed1746bc17d98eae8692896f0af0e9daecbfa6a4992e793b2f42566fedd03599e82001d7028e6f99b8076a1c1e8",
    "d224c13d1024594b5717b0fa18ce0b488a",
);

/// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
pub(crate) const PSS_DIGEST: &str = concat!(
    "003dbaad0e1ce682a8fabeefbd0297b43d281356a51ad483868a4e940cabd6d57fdf057ba06d913821cd12eacf87f323",
    "4ecd167c5fde867c62c73af39ca8863753db7ebdf987ed8d9bb9dac4c78a392d8ae154c9b037b66511cbd5819912351b",
    "17c57853c66ee9ed1917589e58052eec6b1d2117847b1eba5513193b4dc67a3d47f13f45b08e5fb5b0dbf64aebae217c",
    "6a513297ad6761d61cda15e504151cb9bccf0b775fcce3625349ef2985b9d441c8f6254658c2f69e0cf6c738951a7458",
    "28d28e7278eee0824c4a94a7f5adbd3518cbc4ee25135b29969d6bf8739d875979e7c6fee497f75b66da952591083a83",
    "8fb89845957ede922795c253fb029a36ce",
);

/// RSASSA-PSS with SHA-256 and the longest salt.
pub(crate) const PSS_MAX: &str = concat!(
    "01cbd38d9e51604b2f7b12f8e96e1c804da563b7d9815f6fb143c28816dab50f3f7c5adc85d89987a5ef2365c9a8252d",
    "9e1a9b3c7ddfa7debead2ffe09c401753dbc22f995f8af7c99776c4d8f74713f49b928ac9af33499ec72be22fe9171e4",
    "d24d3e3dfa85eb1607f2085a670ca09b735285992cac60ad69426d37af5beda6dbdce9ac95cf081821cd4ee63e032c25",
    "f9fb3f9ac7920a63e92e678f105755418e51f169fa3363a6f82a08cfa92a8566107d327e49c8ce3dfc0a6bea3844d8d4",
    "75f4beada1243dfeb88c2506d2c093bc2ba30d22117741921a38b5504c2d111fbf56e870cfd232d28555170cf01e44ec",
    "ba7b08c0e39d0d5e3842acff49e41bd28a",
);

/// RSASSA-PSS with SHA-256 and a salt of 33 bytes.
pub(crate) const PSS_33: &str = concat!(
    "01da84c4d1ac71a74d51ef52f36ea1c8c4dd49c43b1983a069cac132ab12b4cf9d6b775f8fdb8c76c68f64bbba362596",
    "ff14b87b7915a2078a0fe93ab0f49b4edfd394d106a67809d53b32a6a2940dc679ea7606f22e875471dbc3bb529ee631",
    "3a9d003ee764624f1c35d40d96eabd33b4ac457fb79068eb324d71d8f9ef2e665e5fed738cdadbec9b969e03474d185e",
    "24ece06313fb24f95b374ab15852f02ca65acc12da6a9f88c5fb68160b562d489ab9a5d7ba8b71bb3484a1b008e49f5c",
    "2e9527de966486282424679e0fa42c352a47d824a599c335abb245a4b4b1a7c8fb1692e9262c6fef4db1aff62e23f0c5",
    "5a285df54ff8ea575e772f0dca3cdc3e7b",
);
