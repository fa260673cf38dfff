// comm_mpi.h - MPI as a transport, and nothing else knows it. An MPI error is fatal.
#ifndef CLUSTER_COMM_MPI_H
#define CLUSTER_COMM_MPI_H

#include "base/error.h"
#include "cluster/comm.h"

// Starts MPI. Refuses a launcher that started several processes which MPI cannot connect.
bool comm_mpi_init(Comm* comm, Error* error);

// Whether a launcher that MPI understands has started this process.
bool comm_mpi_is_launched(void);

// Name and version of the MPI library.
const char* comm_mpi_description(void);

#endif  // CLUSTER_COMM_MPI_H
