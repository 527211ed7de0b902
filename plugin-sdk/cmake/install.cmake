# What `cmake --install` puts where, beyond the binary, the header and the man pages, which their own
# folders install. Nothing here depends on the machine's architecture, so it goes to share/.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(BIDE_PACKAGE_DIR ${CMAKE_INSTALL_DATADIR}/cmake/bide)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/bideConfig.cmake.in
    ${CMAKE_BINARY_DIR}/package/bideConfig.cmake
    INSTALL_DESTINATION ${BIDE_PACKAGE_DIR} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/bideConfigVersion.cmake
    COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_BINARY_DIR}/package/bideConfig.cmake
    ${CMAKE_BINARY_DIR}/package/bideConfigVersion.cmake
    ${CMAKE_CURRENT_LIST_DIR}/bidePlugin.cmake
    DESTINATION ${BIDE_PACKAGE_DIR})

configure_file(${CMAKE_CURRENT_LIST_DIR}/bide.pc.in ${CMAKE_BINARY_DIR}/package/bide.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/bide.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)

configure_file(${CMAKE_SOURCE_DIR}/config/bide.service.in ${CMAKE_BINARY_DIR}/package/bide.service
    @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/bide.service DESTINATION lib/systemd/system)

# Samples to copy from: an administrator's own files are never overwritten.
# By name: what else lies in these folders is somebody's own.
set(BIDE_CONFIGS bide queues reference)
set(BIDE_SCHEMAS approve-refund hello month-report monthly-digest remind render-image)
set(BIDE_CONFIG_SCHEMAS bide queues)
foreach(pair "CONFIGS;config" "SCHEMAS;schemas" "CONFIG_SCHEMAS;schemas/config")
    list(GET pair 0 names)
    list(GET pair 1 folder)
    set(files ${BIDE_${names}})
    list(TRANSFORM files REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/${folder}/\\1.yaml")
    install(FILES ${files} DESTINATION ${CMAKE_INSTALL_DATADIR}/bide/${folder})
endforeach()
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/LICENSE
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
