/**
 * Drivers with native XDP, by the name that `ethtool -i` gives them: those that take XDP_SETUP_PROG in the kernel's sources
 * (drivers/net, 6.12). Older kernels lack some, and a driver may refuse for its firmware, MTU or queues. Says nothing of speed.
 */
const NATIVE_XDP: ReadonlySet<string> = new Set([
  ...['am65-cpsw-nuss', 'atlantic', 'bnxt_en', 'bonding', 'cpsw', 'ena', 'fec', 'fsl_dpa', 'fsl_dpaa2_eth'],
  ...[
    'fsl_enetc',
    'funeth',
    'gve',
    'hv_netvsc',
    'i40e',
    'ice',
    'icssg-prueth',
    'igb',
    'igc',
    'ionic',
    'ixgbe',
  ],
  ...[
    'ixgbevf',
    'lan966x-switch',
    'mana',
    'mlx4_en',
    'mlx5_core',
    'mtk_soc_eth',
    'mvneta',
    'mvpp2',
    'netsec',
  ],
  ...[
    'nfp',
    'nicvf',
    'qede',
    'rvu-nicpf',
    'rvu-nicvf',
    'sfc',
    'st_gmac',
    'tsnep',
    'tun',
    'veth',
    'vif',
    'virtio_net',
  ],
  'vmxnet3',
]);

export function hasNativeXdp(driver: string): boolean {
  return NATIVE_XDP.has(driver);
}
