//! Ed25519: RFC 8032 §7.1, and constructed signatures that lenient verification accepts.

use super::Case;

/// RFC 8032 §7.1, tests 1, 2, 3 and SHA(abc).
pub(crate) const RFC_8032: &[Case] = &[
    Case {
        name: "RFC 8032 test 1",
        scheme: "ed25519",
        public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        message: "",
        signature: concat!(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b",
            "d25bf5f0595bbe24655141438e7a100b",
        ),
        valid: true,
    },
    Case {
        name: "RFC 8032 test 2",
        scheme: "ed25519",
        public: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        message: "72",
        signature: concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c",
            "387b2eaeb4302aeeb00d291612bb0c00",
        ),
        valid: true,
    },
    Case {
        name: "RFC 8032 test 3",
        scheme: "ed25519",
        public: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        message: "af82",
        signature: concat!(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659",
            "4a7c15e9716ed28dc027beceea1ec40a",
        ),
        valid: true,
    },
    Case {
        name: "RFC 8032 SHA(abc)",
        scheme: "ed25519",
        public: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        message: concat!(
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd",
            "454d4423643ce80e2a9ac94fa54ca49f",
        ),
        signature: concat!(
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030",
            "3dca179c138ac17ad9bef1177331a704",
        ),
        valid: true,
    },
];

/// All of these satisfy the equation of RFC 8032 §5.1.7 in its form with the cofactor, with points of small or mixed
/// order or with encodings that are not canonical. Only those that also satisfy it without the cofactor, with points
/// that are not of small order, are valid.
pub(crate) const EDGES: &[Case] = &[
    Case {
        name: "control",
        scheme: "ed25519",
        public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        message: "737472696374",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23f970cae1a76ed6e9e163a5dcb9bf9137",
            "88013747784dfb13a3f4eb5fa3761602",
        ),
        valid: true,
    },
    Case {
        name: "identity key",
        scheme: "ed25519",
        public: "0100000000000000000000000000000000000000000000000000000000000000",
        message: "737472696374",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "identity key, sign bit",
        scheme: "ed25519",
        public: "0100000000000000000000000000000000000000000000000000000000000080",
        message: "737472696374",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "identity key, noncanonical",
        scheme: "ed25519",
        public: "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        message: "737472696374",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "small order key 1",
        scheme: "ed25519",
        public: "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        message: "736d616c6c206f726465722030",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "small order key 2",
        scheme: "ed25519",
        public: "0000000000000000000000000000000000000000000000000000000000000080",
        message: "736d616c6c206f726465722031",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "small order key 3",
        scheme: "ed25519",
        public: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        message: "736d616c6c206f726465722032",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "small order key 4",
        scheme: "ed25519",
        public: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        message: "736d616c6c206f726465722033",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "small order key 5",
        scheme: "ed25519",
        public: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        message: "736d616c6c206f726465722030",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "small order key 6",
        scheme: "ed25519",
        public: "0000000000000000000000000000000000000000000000000000000000000000",
        message: "736d616c6c206f726465722039",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "small order key 7",
        scheme: "ed25519",
        public: "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        message: "736d616c6c206f726465722033",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e878dca548664051e5e695d8c157b538",
            "a506f9a3dd9f0e9cfed7f4de62238207",
        ),
        valid: false,
    },
    Case {
        name: "R identity",
        scheme: "ed25519",
        public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        message: "737472696374",
        signature: concat!(
            "0100000000000000000000000000000000000000000000000000000000000000da60b2da9a36c3be52a83e472fa3693a",
            "d39c9d80019737e8dcf995ad9966fa07",
        ),
        valid: false,
    },
    Case {
        name: "R identity noncanonical",
        scheme: "ed25519",
        public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        message: "737472696374",
        signature: concat!(
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fce0490310c6b1d2a06072208d19eb613",
            "4ce044902aaa82b6a8a72b84019c970d",
        ),
        valid: false,
    },
    Case {
        name: "S plus the order",
        scheme: "ed25519",
        public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        message: "737472696374",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23e644c03ec2d1e841b8009d7f98b9704c",
            "88013747784dfb13a3f4eb5fa3761612",
        ),
        valid: false,
    },
    Case {
        name: "mixed order key, k multiple of 8",
        scheme: "ed25519",
        public: "5ca7ced5657291c4cb376e2929ebbb0747dee3aee81452ea424f42974f81fdba",
        message: "6d697865642032",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23b1552288ecefd1082f0518e3c3ba4f8f",
            "dde6fbf752b6dada19328dd304d35806",
        ),
        valid: true,
    },
    Case {
        name: "mixed order key, k no multiple of 8",
        scheme: "ed25519",
        public: "5ca7ced5657291c4cb376e2929ebbb0747dee3aee81452ea424f42974f81fdba",
        message: "6d697865642030",
        signature: concat!(
            "b31b20f50426242514d81b383548bd90de72fd0b8cf2382a88f9f52ce5076b23344843962ecd095ba2cecb96dc8963c5",
            "7abaacd8296c08a81a44e99d31a47203",
        ),
        valid: false,
    },
    Case {
        name: "mixed order R",
        scheme: "ed25519",
        public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        message: "737472696374",
        signature: concat!(
            "d5912d4242e5c909bc83ae974fdde6ebfe715b0cd5e3c032e3e86b29b042a6918884d8b7699a79ae98efd1a9b217b078",
            "77f21e770e1ea55bdcdc9494778cc002",
        ),
        valid: false,
    },
];
