{
  # Builds the addon: npx node-gyp rebuild --nodedir=/usr. Every file of native/ is listed; nothing is globbed.
  "targets": [
    {
      "target_name": "bng_native",
      "sources": [
        "native/addon.cpp",
        "native/arguments.cpp",
        "native/datagram.cpp",
        "native/errors.cpp",
        "native/kernel_log.cpp",
        "native/link.cpp",
        "native/map.cpp",
        "native/map_batch.cpp",
        "native/object.cpp",
        "native/object_state.cpp",
        "native/packet_socket.cpp",
        "native/pinned.cpp",
        "native/poll_handle.cpp",
        "native/program.cpp",
        "native/ring_buffer.cpp"
      ],
      "include_dirs": [
        "<!@(node -p \"require('node-addon-api').include_dir\")"
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_CPP_EXCEPTIONS",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL"
      ],
      "cflags_cc!": ["-fno-exceptions", "-std=gnu++17"],
      "cflags_cc": ["-std=c++17", "-fexceptions", "-fvisibility=hidden", "-O2", "-Wall", "-Wextra", "-Werror"],
      "libraries": ["-lbpf"]
    }
  ]
}
