"""The same workload behind other servers, each as its documentation shows, and tuned."""
