//! ECDSA: RFC 6979 appendix A.2.

/// A signature as two numbers of the length of a coordinate.
pub(crate) struct Numbers {
    pub(crate) section: &'static str,
    pub(crate) scheme: &'static str,
    /// The uncompressed point.
    pub(crate) public: &'static str,
    /// The order of the group.
    pub(crate) order: &'static str,
    pub(crate) message: &'static str,
    pub(crate) r: &'static str,
    pub(crate) s: &'static str,
}

/// Appendix A.2.5 with SHA-256, A.2.6 with SHA-384 and A.2.7 with SHA-512.
pub(crate) const RFC_6979: &[Numbers] = &[
    Numbers {
        section: "A.2.5",
        scheme: "ecdsa-sha2-nistp256",
        public: concat!(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc",
            "64f2f1b20c2d7e9f5177a3c294d4462299",
        ),
        order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        message: "sample",
        r: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
        s: "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    },
    Numbers {
        section: "A.2.5",
        scheme: "ecdsa-sha2-nistp256",
        public: concat!(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc",
            "64f2f1b20c2d7e9f5177a3c294d4462299",
        ),
        order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        message: "test",
        r: "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
        s: "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    },
    Numbers {
        section: "A.2.6",
        scheme: "ecdsa-sha2-nistp384",
        public: concat!(
            "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc",
            "138015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd25332647",
            "20",
        ),
        order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        message: "sample",
        r: "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
        s: "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
    },
    Numbers {
        section: "A.2.6",
        scheme: "ecdsa-sha2-nistp384",
        public: concat!(
            "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc",
            "138015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd25332647",
            "20",
        ),
        order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        message: "test",
        r: "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db",
        s: "ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5",
    },
    Numbers {
        section: "A.2.7",
        scheme: "ecdsa-sha2-nistp521",
        public: concat!(
            "0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb6",
            "33155d38ffa16d2bd761dcac474b9a2f5023a400493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d663",
            "0f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5",
        ),
        order: concat!(
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709",
            "a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
        message: "sample",
        r: concat!(
            "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b53",
            "4931d7d4e8455cc91f9b15bf05ec36e377fa",
        ),
        s: concat!(
            "00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff077",
            "7b1a20f8ccb1dccc43997f1ee0e44da4a67a",
        ),
    },
    Numbers {
        section: "A.2.7",
        scheme: "ecdsa-sha2-nistp521",
        public: concat!(
            "0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb6",
            "33155d38ffa16d2bd761dcac474b9a2f5023a400493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d663",
            "0f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5",
        ),
        order: concat!(
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709",
            "a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
        message: "test",
        r: concat!(
            "013e99020abf5cee7525d16b69b229652ab6bdf2affcaef38773b4b7d08725f10cdb93482fdcc54edcee91eca4166b2a",
            "7c6265ef0ce2bd7051b7cef945babd47ee6d",
        ),
        s: concat!(
            "01fbd0013c674aa79cb39849527916ce301c66ea7ce8b80682786ad60f98f7e78a19ca69eff5c57400e3b3a0ad66ce09",
            "78214d13baf4e9ac60752f7b155e2de4dce3",
        ),
    },
];
